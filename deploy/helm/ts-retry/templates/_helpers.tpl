{{- define "ts-retry.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "ts-retry.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ts-retry.labels" -}}
{{ include "ts-retry.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "ts-retry.image" -}}
image: {{ printf "%s:%s" .Values.image.repository .Values.image.tag | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}

{{/* Settings of the package that the chart has an eye on, as the server reads them: a variable comes before config.properties. */}}
{{- define "ts-retry.setting" -}}
{{- $key := printf "retry_%s" .name }}
{{- $value := get .root.Values.torchserve.config $key | default .default | toString }}
{{- range .root.Values.torchserve.env }}{{ if eq .name (printf "TS_%s" $key | upper) }}{{ $value = .value }}{{ end }}{{ end }}
{{- $value }}
{{- end }}

{{/* What cannot work together. values.schema.json looks at one value at a time. */}}
{{- define "ts-retry.refused" -}}
{{- if .Values.sidecar.enabled }}
  {{- if ne (include "ts-retry.setting" (dict "root" . "name" "state_dir" "default" "/state")) "/state" }}
    {{- fail "retry_state_dir: the sidecar reads /state, the volume that both containers have; leave the setting out" }}
  {{- end }}
  {{- if eq (include "ts-retry.setting" (dict "root" . "name" "sidecar" "default" "false")) "true" }}
    {{- fail "retry_sidecar=true starts a second sidecar in TorchServe's container; leave the setting out, or set sidecar.enabled=false" }}
  {{- end }}
{{- else }}
  {{- if eq (include "ts-retry.setting" (dict "root" . "name" "on_fatal" "default" .Values.retry.onFatal)) "retire" }}
    {{- fail "retry.onFatal=retire needs the sidecar: set sidecar.enabled=true, or retry.onFatal to hold, reject, shutdown or observe" }}
  {{- end }}
  {{- range list "podMonitor" "serviceMonitor" "alerts" "dashboard" }}
    {{- if (index $.Values .).enabled }}
      {{- fail (printf "%s.enabled=true needs the sidecar, whose metrics it is about: set sidecar.enabled=true, or %s.enabled=false" . .) }}
    {{- end }}
  {{- end }}
  {{- if and .Values.probes.readiness.model (not .Values.plugin.enabled) }}
    {{- fail "probes.readiness.model: TorchServe's own /ping cannot be asked for one model: set sidecar.enabled=true or plugin.enabled=true" }}
  {{- end }}
{{- end }}
{{- end }}

{{/* A volume has one source. Helm merges the values, so that the default's claim stands beside another source. */}}
{{- define "ts-retry.models" -}}
{{- $volume := .Values.models.volume }}
{{- if gt (len $volume) 1 }}{{ $volume = omit $volume "persistentVolumeClaim" }}{{ end }}
{{- if ne (len $volume) 1 }}{{ fail (printf "models.volume names %d sources; a volume has one, such as persistentVolumeClaim or hostPath" (len $volume)) }}{{ end }}
{{- toYaml $volume }}
{{- end }}

{{/* A value of config.properties. Helm reads numbers as floats, and would write 10485760 as 1.048576e+07. */}}
{{- define "ts-retry.property" -}}
{{- if kindIs "float64" . }}{{ if eq . (floor .) }}{{ printf "%.0f" . }}{{ else }}{{ . }}{{ end }}
{{- else if or (kindIs "map" .) (kindIs "slice" .) }}{{ toJson . }}
{{- else }}{{ . }}{{ end }}
{{- end }}

{{- define "ts-retry.properties" -}}
{{- $config := dict
  "inference_address" "http://0.0.0.0:8080"
  "management_address" "http://127.0.0.1:8081"
  "metrics_address" "http://127.0.0.1:8082"
  "disable_token_authorization" "true"
  "model_store" "/models"
  "load_models" .Values.models.load
  "default_workers_per_model" "1"
  "retry_state_dir" "/state"
  "retry_on_fatal" .Values.retry.onFatal
  "retry_ready_when" .Values.retry.readyWhen }}
{{- if .Values.retry.rules }}{{ $_ := set $config "retry_rules" "/etc/torchserve/retry-rules.yaml" }}{{ end }}
{{- if .Values.plugin.enabled }}{{ $_ := set $config "plugins_path" .Values.plugin.path }}{{ end }}
{{- /* Not merge: it passes over false, 0 and "". */}}
{{- range $key, $value := .Values.torchserve.config }}{{ $_ := set $config $key $value }}{{ end }}
{{- range $key, $value := $config }}
{{- if not (kindIs "invalid" $value) }}
{{- $text := include "ts-retry.property" $value }}
{{- if contains "\n" $text }}{{ fail (printf "torchserve.config.%s has several lines; a value of config.properties has one" $key) }}{{ end }}
{{ $key }}={{ $text }}
{{- end }}
{{- end }}
{{- end }}
