import { stringify } from "yaml";
import { GROUP, VERSION } from "../src/names.ts";
import { compose, type Fragments, type KindSource, type Schema } from "./compose.ts";

/** Stands at the head of both committed CRDs; the reasons are in crds/README.md. */
const HEADER = `# Made by crds/scripts/generate.ts from crds/src/schema/: change those and run "make generate", never this file.
#
# Rules of change (reasons and measurements: crds/README.md):
# * Every string, list, map and number of the spec has a bound; every field has a description for "kubectl explain", which
#   shows neither defaults nor bounds and calls a number-or-text <Object>: say it in words.
# * A rule sits on the smallest object that holds all its fields. The API server forgives an old object only what it
#   left unchanged: a rule added later to spec would stop people from pausing old queues, one added to the root would
#   stop even status writes. Such a rule needs optionalOldSelf and a clause that forgives.
# * Only add: fields, values of an enum, wider bounds. A list keeps its type and keys for ever.
# * What the store is told has no default: absent means hands off. The default of an object that has a rule is written
#   out in full, because its children's defaults are not seen when it is checked. No default inside list items:
#   client-side apply would never again say "unchanged".
# * No enum value that YAML 1.1 reads as a boolean (On, Off, Yes, No). No category that is also the name of a kind.
#   No "reason: FieldValueDuplicate" on a rule: it hides the message.
# * workers.template is a list of leaves. Nothing in it reaches the node, another identity or another pod. Never add a
#   subtree.
`;

/** The CustomResourceDefinition of a kind as the API server takes it. */
export function customResourceDefinition(source: KindSource, fragments: Fragments): Record<string, unknown> {
  const schema: Schema = {
    type: "object",
    description: source.description,
    required: ["spec"],
    properties: {
      apiVersion: { type: "string", description: `${GROUP}/${VERSION}.` },
      kind: { type: "string", description: `${source.kind}.` },
      // Without properties.name a rule could not say `fieldPath: .metadata.name`.
      metadata: { type: "object", properties: { name: { type: "string" } } },
      spec: source.spec,
      status: source.status,
    },
    "x-kubernetes-validations": source.validations,
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${source.plural}.${GROUP}`,
      labels: { "app.kubernetes.io/name": "jobqueue-operator", "app.kubernetes.io/part-of": "jobqueue-operator" },
    },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: {
        kind: source.kind,
        listKind: `${source.kind}List`,
        plural: source.plural,
        singular: source.kind.toLowerCase(),
        shortNames: [source.shortName],
        // Not "jobqueue": kubectl expands a category before a kind, "kubectl scale jobqueue x" would fail.
        categories: ["jobqueue-operator"],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {}, ...(source.scale && { scale: source.scale }) },
          additionalPrinterColumns: source.columns,
          ...(source.selectableFields && {
            selectableFields: source.selectableFields.map((jsonPath) => ({ jsonPath })),
          }),
          schema: { openAPIV3Schema: compose(schema, fragments) },
        },
      ],
    },
  };
}

/** The committed text of a CRD. Words that YAML 1.1 (kubectl) and 1.2 (JavaScript) read differently are quoted. */
export function crdText(source: KindSource, fragments: Fragments): string {
  const body = stringify(customResourceDefinition(source, fragments), {
    aliasDuplicateObjects: false,
    compat: "yaml-1.1",
    indentSeq: false,
    lineWidth: 120,
  });
  return `${HEADER}${body}`;
}
