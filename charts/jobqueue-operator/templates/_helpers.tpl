{{/* Name of the chart's part in labels. */}}
{{- define "jobqueue-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of every object. At most 52 characters, so that suffixes and pod hashes still fit into 63. */}}
{{- define "jobqueue-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* Labels that select the operator's pods; they can never change for a release. */}}
{{- define "jobqueue-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "jobqueue-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{/* Labels of every object of the operator. */}}
{{- define "jobqueue-operator.labels" -}}
{{ include "jobqueue-operator.selectorLabels" . }}
{{ include "jobqueue-operator.releaseLabels" . }}
{{- end }}

{{/* Labels of every object, whichever component it belongs to. */}}
{{- define "jobqueue-operator.releaseLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: jobqueue-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Name of the operator's service account. */}}
{{- define "jobqueue-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "jobqueue-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The image, by digest when there is one. */}}
{{- define "jobqueue-operator.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* What the restricted Pod Security Standard asks of a pod. */}}
{{- define "jobqueue-operator.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* What the restricted Pod Security Standard asks of a container, and a root file system that cannot be written. */}}
{{- define "jobqueue-operator.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/*
Three quarters of the memory limit of resources in MiB, for the heap of Node: without it the collector tightens only when the kernel is about
to kill. Empty when the limit is not written in Mi or Gi; Node then chooses by itself.
*/}}
{{- define "jobqueue-operator.heapMiB" -}}
{{- $limit := dig "limits" "memory" "" . | toString }}
{{- if regexMatch "^[0-9]+Mi$" $limit }}
{{- div (mul (trimSuffix "Mi" $limit | int) 3) 4 }}
{{- else if regexMatch "^[0-9]+Gi$" $limit }}
{{- div (mul (trimSuffix "Gi" $limit | int) 1024 3) 4 }}
{{- end }}
{{- end }}

{{/*
NODE_OPTIONS of a container, of (list $ resources more), or nothing, so that what the image itself says stays: what was asked for,
the limit of the heap, and with that what else suits the program.
*/}}
{{- define "jobqueue-operator.nodeOptions" -}}
{{- $options := list (index . 0).Values.nodeOptions }}
{{- with include "jobqueue-operator.heapMiB" (index . 1) }}
{{- $options = concat $options (list (printf "--max-old-space-size=%s" .) (index $ 2)) }}
{{- end }}
{{- with compact $options }}
- {name: NODE_OPTIONS, value: {{ join " " . | quote }}}
{{- end }}
{{- end }}

{{/* Whether the cluster has admission policies and they are wanted: "true" or empty. */}}
{{- define "jobqueue-operator.admissionPolicies" -}}
{{- if and .Values.admissionPolicies.enabled (.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy") -}}
true
{{- end }}
{{- end }}

{{/*
What the operator may do in the namespaces it looks after. Every rule says what it is for; what is not here it cannot do. Secrets
are read one by one, by the name that a JobStore gives: never listed, never watched.
*/}}
{{- define "jobqueue-operator.rules" -}}
# The kinds: read them, and write what is seen of them.
- apiGroups: [jobqueue.dev]
  resources: [jobqueues, jobstores]
  verbs: [get, list, watch]
- apiGroups: [jobqueue.dev]
  resources: [jobqueues/status, jobstores/status]
  verbs: [patch]
# The finaliser of a JobQueue whose deletionPolicy asks for one. The operator never writes a spec.
- apiGroups: [jobqueue.dev]
  resources: [jobqueues]
  verbs: [patch]
# The workers of a JobQueue.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
# The disruption budget of the workers, where a JobQueue asks for one.
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
# To see that workers are gone; and to mark the pods of idle workers as those that go first when a pool shrinks.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, patch, delete]
# To replace hung workers: evictions obey disruption budgets; delete only where one has refused for evictionTimeoutSeconds.
- apiGroups: [""]
  resources: [pods/eviction]
  verbs: [create]
# How to reach the database of a JobStore.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
# What happened, for kubectl describe.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* Name of the admin server's objects. */}}
{{- define "jobqueue-operator.adminName" -}}
{{- printf "%s-admin" (include "jobqueue-operator.fullname" .) }}
{{- end }}

{{/* Where the admin server runs: where the JobStore is. */}}
{{- define "jobqueue-operator.adminNamespace" -}}
{{- default .Release.Namespace .Values.admin.namespace }}
{{- end }}

{{/* Labels that select the admin server's pods; they can never change for a release. */}}
{{- define "jobqueue-operator.adminSelectorLabels" -}}
app.kubernetes.io/name: {{ include "jobqueue-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: admin
{{- end }}

{{/* Labels of every object of the admin server. */}}
{{- define "jobqueue-operator.adminLabels" -}}
{{ include "jobqueue-operator.adminSelectorLabels" . }}
{{ include "jobqueue-operator.releaseLabels" . }}
{{- end }}

{{/* Name of the admin server's service account. */}}
{{- define "jobqueue-operator.adminServiceAccountName" -}}
{{- if .Values.admin.serviceAccount.create }}
{{- default (include "jobqueue-operator.adminName" .) .Values.admin.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.admin.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Whether the admin server takes tokens of the cluster: "true" or empty. */}}
{{- define "jobqueue-operator.adminAsksCluster" -}}
{{- if has "kubernetes" .Values.admin.auth }}true{{ end }}
{{- end }}

{{/*
The Secrets of the admin server's store as files, as store/src/connection/credential-files.ts names them: the kubelet replaces
them when a Secret changes, and each connection is made with what they say then.
*/}}
{{- define "jobqueue-operator.adminStoreFiles" -}}
{{- $connection := .Values.admin.store.connection }}
{{- $server := $connection.server }}
{{- $files := dict "uri" $connection.uriSecretRef "user" $server.userSecretRef "password" $server.passwordSecretRef "ca.crt" $connection.tls.caSecretRef }}
{{- range $path, $ref := $files }}
{{- if dig "name" "" (default dict $ref) }}
- secret:
    name: {{ $ref.name }}
    items:
      - {key: {{ $ref.key }}, path: {{ $path }}}
{{- end }}
{{- end }}
{{- with $connection.tls.clientCertificateSecretRef.name }}
- secret:
    name: {{ . }}
    items:
      - {key: tls.crt, path: tls.crt}
      - {key: tls.key, path: tls.key}
{{- end }}
{{- end }}
