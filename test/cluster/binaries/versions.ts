/** Version of Kubernetes of our own node image, of the API server of tests, and of the kubectl that comes with them. */
export const KUBERNETES_VERSION = "v1.34.4";

/** How one program is built from published Go modules. */
export interface GoProgram {
  readonly version: string;
  /** A package of our own module `kube/`, or `path@version` of a published one. */
  readonly source: { readonly ours: string } | { readonly published: string };
  /** Linker flags `-X`, beside `-s -w`. */
  readonly set: Readonly<Record<string, string>>;
  /** Oldest Go that compiles it, as major.minor. */
  readonly go: string;
  /** About how long a cold build takes on two cores, for the line that announces it. */
  readonly minutes: number;
  /** Names the program is also called by: links beside it. */
  readonly links?: readonly string[];
}

const HELM_VERSION = "v3.19.5"; // as go.mod of `kube/` says

const [KUBERNETES_MAJOR, KUBERNETES_MINOR] = KUBERNETES_VERSION.slice(1).split(".") as [string, string];

/** Without these the programs call themselves v0.0.0-master and kubeadm refuses to work with them. */
const KUBERNETES_NAME = {
  "k8s.io/component-base/version.gitVersion": KUBERNETES_VERSION,
  "k8s.io/component-base/version.gitMajor": KUBERNETES_MAJOR,
  "k8s.io/component-base/version.gitMinor": KUBERNETES_MINOR,
  "k8s.io/component-base/version.gitTreeState": "clean",
};

const kubernetes = (ours: string, minutes: number, links: readonly string[] = []): GoProgram => ({
  version: KUBERNETES_VERSION,
  source: { ours },
  set: KUBERNETES_NAME,
  go: "1.25",
  minutes,
  links,
});

/** Every program that is built when it is missing. */
export const GO_PROGRAMS = {
  /** etcd and every program of Kubernetes, chosen by name: `kube etcd …`. */
  kube: kubernetes(".", 7, ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"]),
  kubeadm: kubernetes("k8s.io/kubernetes/cmd/kubeadm", 1),
  /** kubectl alone, for machines whose cluster needs nothing else of ours. */
  kubectl: kubernetes("k8s.io/kubernetes/cmd/kubectl", 2),
  pause: kubernetes("./pause", 1),
  coredns: {
    version: "v1.12.4", // the one kubeadm of KUBERNETES_VERSION asks for, so that its configuration fits
    source: { ours: "./coredns" },
    set: {},
    go: "1.25",
    minutes: 1,
  },
  kind: {
    version: "v0.33.0",
    source: { published: "sigs.k8s.io/kind@v0.33.0" },
    set: {},
    go: "1.17",
    minutes: 1,
  },
  /** Of the series that is made of the same libraries as KUBERNETES_VERSION: after kube little is left to compile. */
  helm: {
    version: HELM_VERSION,
    source: { ours: "helm.sh/helm/v3/cmd/helm" },
    // Helm takes itself for one of Kubernetes 1.20 when it renders without a cluster, unless told.
    set: {
      "helm.sh/helm/v3/internal/version.version": HELM_VERSION,
      "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": KUBERNETES_MAJOR,
      "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": KUBERNETES_MINOR,
      "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor": KUBERNETES_MAJOR,
      "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor": KUBERNETES_MINOR,
    },
    go: "1.25",
    minutes: 1,
  },
  /**
   * Nodes and kubelets that only tell what real ones would, by the thousand: benchmarks of scale. The newest series that
   * compiles with the libraries of KUBERNETES_VERSION; those after it bring others along, which take four minutes of a core.
   */
  kwok: {
    version: "v0.6.1", // as go.mod of `kube/` says
    source: { ours: "sigs.k8s.io/kwok/cmd/kwok" },
    set: {},
    go: "1.25",
    minutes: 1,
  },
} as const satisfies Record<string, GoProgram>;

export type ProgramName = keyof typeof GO_PROGRAMS;

/** Compares dotted versions (`1.9` < `1.26.3`, a leading `v` is ignored): negative, zero or positive, like a sort. */
export function compareVersions(left: string, right: string): number {
  const parse = (version: string) =>
    version
      .replace(/^v/, "")
      .split(/[^0-9]/)
      .map(Number);
  const [a, b] = [parse(left), parse(right)];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
