/** The name that `metadata` begins with; what the template adds goes behind it. */
const NAME_LINE = /^metadata:\n {2}name: \S+\n/m;

/**
 * A CRD as a template of the chart: the same text, present only with `crds.enabled`, and left behind by `helm uninstall` with
 * `crds.keep`. The text is not parsed and printed again by Helm, which reads every number as a float and would write
 * 2147483647 as 2.147483647e+09. Helm never upgrades what lies in a chart's folder `crds/`, hence a template.
 */
export function crdTemplate(source: string, crd: string): string {
  const start = crd.indexOf("apiVersion:");
  if (start === -1) throw new Error(`${source} does not contain a CRD`);
  const body = crd.slice(start).replaceAll("{{", '{{ "{{" }}');
  if (!NAME_LINE.test(body)) throw new Error(`${source}: metadata must begin with the name`);
  if (/^ {2}annotations:/m.test(body)) throw new Error(`${source}: metadata.annotations would be there twice`);
  const kept = body.replace(
    NAME_LINE,
    (metadata) =>
      `${metadata}  {{- if .Values.crds.keep }}\n  annotations:\n    helm.sh/resource-policy: keep\n  {{- end }}\n`,
  );
  return `{{- /* Made by charts/scripts/sync-crds.ts from ${source}: change that and run "make generate". */ -}}\n{{- if .Values.crds.enabled }}\n${kept.trimEnd()}\n{{- end }}\n`;
}
