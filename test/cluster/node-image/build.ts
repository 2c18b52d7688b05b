import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { nodePrograms } from "../binaries/binaries.ts";
import { GO_PROGRAMS, KUBERNETES_VERSION } from "../binaries/versions.ts";
import { requireDiskSpace } from "../cache.ts";
import { run, tryRun } from "../command.ts";
import { type DebianRoot, debianRoot, debianRootKey } from "../debian-root.ts";
import { docker, type Engine } from "../engine/engine.ts";
import { step } from "../progress.ts";
import { withScratch } from "../scratch.ts";
import { type ImageContent, writeImageArchive } from "../image-archive.ts";

const FILES = join(import.meta.dirname, "files");

/** Disk for the parts of the image and the archive of it, in GiB. */
const BUILD_GIB = 6;

const NODE_ROOT: DebianRoot = {
  name: "node",
  variant: "minbase",
  packages: (
    "systemd,systemd-sysv,dbus,containerd,runc,containernetworking-plugins,iptables,iproute2,conntrack,ethtool,socat," +
    "kmod,mount,procps,hostname"
  ).split(","),
};

/** What the images of the control plane, of kube-proxy and of our two DaemonSets share. */
const POD_ROOT: DebianRoot = {
  name: "control plane pods",
  variant: "minbase",
  packages: ["iptables", "iproute2", "conntrack", "kmod"],
};

/** Units that a container has no use for, or that fail in one. */
const MASKED_UNITS =
  "getty.target console-getty.service systemd-udevd.service systemd-udev-trigger.service systemd-logind.service " +
  "systemd-modules-load.service systemd-update-utmp.service systemd-tmpfiles-clean.timer apt-daily.timer " +
  "apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer dpkg-db-backup.timer dev-hugepages.mount sys-kernel-debug.mount " +
  "sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount " +
  "systemd-binfmt.service systemd-remount-fs.service";

/** Programs that pods of the control plane start by name; all are the kube binary. */
const KUBE_NAMES = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubectl", "etcd"];

const NODE_CONFIG = {
  Entrypoint: ["/kind/entrypoint", "/sbin/init"],
  Env: ["container=docker", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
};

/** Name of our node image; changes with everything it is made of but the versions of Debian's packages. */
export function ownNodeImage(): string {
  const hash = createHash("sha256").update(JSON.stringify([GO_PROGRAMS.coredns, NODE_CONFIG, MASKED_UNITS]));
  hash.update(`${debianRootKey(NODE_ROOT)} ${debianRootKey(POD_ROOT)}`);
  const sources = [
    ...globSync("**/*", { cwd: FILES }).map((file) => join(FILES, file)),
    ...globSync(join(import.meta.dirname, "../kube/**/*")),
  ];
  for (const file of sources.toSorted()) {
    try {
      hash.update(readFileSync(file));
    } catch {
      // a directory
    }
  }
  return `jobqueue-node:${KUBERNETES_VERSION}-${hash.digest("hex").slice(0, 8)}`;
}

/** Builds our node image into the engine, from Debian packages and Go programs. */
export async function buildNodeImage(engine: Engine): Promise<string> {
  const image = ownNodeImage();
  const programs = await nodePrograms();
  const nodeRoot = await debianRoot(NODE_ROOT);
  const podRoot = await debianRoot(POD_ROOT);
  requireDiskSpace(BUILD_GIB, "building the node image");
  await step(`node image ${image} built`, () =>
    withScratch("node-image", async (work) => {
      const names = await imageNames(programs.kubeadm);
      const podImages = join(work, "pod-images.tar");
      await writePodImages(work, podImages, podRoot, programs, names);
      const files = await nodeFiles(work, programs, names);
      const half = `${image}-half`;
      await load(engine, work, { names: [half], layers: [nodeRoot, files], config: NODE_CONFIG });
      const store = join(work, "store.tar");
      await preload(engine, half, podImages, store);
      await load(engine, work, { names: [image], layers: [nodeRoot, files, store], config: NODE_CONFIG });
      await docker(engine, ["rmi", half]);
    }),
  );
  return image;
}

/** Names of the images that kubeadm will ask for, `registry.k8s.io/pause:3.10` and so on. */
async function imageNames(kubeadm: string): Promise<string[]> {
  return (await run(kubeadm, ["config", "images", "list", "--kubernetes-version", KUBERNETES_VERSION]))
    .trim()
    .split("\n");
}

/** The images of the control plane, in one archive: one root for all but CoreDNS and pause. */
async function writePodImages(
  work: string,
  archive: string,
  podRoot: string,
  programs: Awaited<ReturnType<typeof nodePrograms>>,
  names: readonly string[],
): Promise<void> {
  const named = (part: string) => names.filter((name) => name.slice(name.lastIndexOf("/") + 1).startsWith(part));
  const kube = await layer(work, "kube", (root) => {
    install(programs.kube, join(root, "usr/local/bin/kube"));
    for (const name of KUBE_NAMES) symlinkSync("kube", join(root, "usr/local/bin", name));
  });
  const coredns = await layer(work, "coredns", (root) => install(programs.coredns, join(root, "coredns")));
  const pause = await layer(work, "pause", (root) => install(programs.pause, join(root, "pause")));
  const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const parts = join(work, "pod-images");
  mkdirSync(parts);
  await writeImageArchive(archive, parts, [
    {
      names: ["localhost/kube:1", ...named("kube-"), ...named("etcd")],
      layers: [podRoot, kube],
      config: { Env: [path] },
    },
    { names: named("coredns"), layers: [coredns], config: { Entrypoint: ["/coredns"] } },
    { names: named("pause"), layers: [pause], config: { Entrypoint: ["/pause"] } },
  ]);
}

/** What a node has beside Debian's packages. */
async function nodeFiles(
  work: string,
  programs: Awaited<ReturnType<typeof nodePrograms>>,
  names: readonly string[],
): Promise<string> {
  return layer(work, "node-files", (root) => {
    cpSync(FILES, root, { recursive: true });
    writeFileSync(join(root, "kind/version"), `${KUBERNETES_VERSION}\n`); // kind asks a node for its version by this file
    const containerd = join(root, "etc/containerd/config.toml");
    const pause = names.find((name) => name.includes("/pause:")) ?? "";
    writeFileSync(containerd, readFileSync(containerd, "utf8").replace("@PAUSE@", pause));
    install(programs.kube, join(root, "usr/bin/kube"));
    install(programs.kubeadm, join(root, "usr/bin/kubeadm"));
    for (const name of ["kubelet", "kubectl"]) symlinkSync("kube", join(root, "usr/bin", name));
    const units = join(root, "etc/systemd/system");
    mkdirSync(join(units, "multi-user.target.wants"), { recursive: true });
    for (const unit of ["containerd.service", "kubelet.service"])
      symlinkSync(`../${unit}`, join(units, "multi-user.target.wants", unit));
    for (const unit of MASKED_UNITS.split(" ")) symlinkSync("/dev/null", join(units, unit));
    symlinkSync("/lib/systemd/system/multi-user.target", join(units, "default.target"));
  });
}

/** Makes a layer: a tar file of a directory that `fill` fills, owned by root whoever builds it. */
async function layer(work: string, name: string, fill: (root: string) => void): Promise<string> {
  const root = join(work, name);
  mkdirSync(root, { mode: 0o755 });
  fill(root);
  const path = join(work, `${name}.tar`);
  await run("tar", ["--create", "--file", path, "--directory", root, "--numeric-owner", "--owner=0", "--group=0", "."]);
  rmSync(root, { recursive: true });
  return path;
}

function install(program: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(program, path);
}

async function load(engine: Engine, work: string, image: ImageContent): Promise<void> {
  const parts = mkdtempSync(join(work, "load-"));
  const archive = join(work, "load.tar");
  await writeImageArchive(archive, parts, [image]);
  await docker(engine, ["load", "--input", archive]);
  rmSync(parts, { recursive: true });
  rmSync(archive);
}

/**
 * Fills the node's containerd with the images of the control plane, so that kubeadm pulls nothing: the half-made image
 * is run, its containerd imports them into a volume (overlayfs cannot work on the container's own root), and the volume
 * becomes the last layer.
 */
async function preload(engine: Engine, half: string, podImages: string, layerPath: string): Promise<void> {
  const script = `
    set -eu
    containerd > /tmp/containerd.log 2>&1 & pid=$!
    until ctr version > /dev/null 2>&1; do sleep 0.1; kill -0 $pid || { cat /tmp/containerd.log >&2; exit 1; }; done
    ctr --namespace k8s.io images import --digests=false /pod-images.tar >&2
    kill $pid; wait $pid || true
    tar --create --file /out/${layerPath.slice(layerPath.lastIndexOf("/") + 1)} --xattrs --numeric-owner --directory / var/lib/containerd`;
  const volumes = [
    "--volume",
    "/var/lib/containerd",
    "--volume",
    `${podImages}:/pod-images.tar:ro`,
    "--volume",
    `${dirname(layerPath)}:/out`,
  ];
  const name = "jobqueue-node-image";
  await tryRun("docker", ["rm", "--force", "--volumes", name], { env: engine.env }); // of a killed run
  await docker(engine, [
    "run",
    "--name",
    name,
    "--rm",
    "--privileged",
    "--network=none",
    ...volumes,
    "--entrypoint",
    "sh",
    half,
    "-c",
    script,
  ]);
}
