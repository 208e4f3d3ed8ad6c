#!/bin/sh
# One run on a cluster: starts it, waits, copies the report to ./reports, and ends with the run's exit code.
#
#     deploy/kubernetes/run.sh [NAMESPACE] [IMAGE]
#
# What it started is deleted at the end, also after Ctrl-C. The ConfigMap and a Secret `scorebench` stay.
set -eu
namespace=${1:-default}
image=${2:-scorebench-load}
here=$(dirname "$0")
kube() { kubectl --namespace "$namespace" "$@"; }
clean() { kube delete --ignore-not-found --wait=false job/scorebench-master job/scorebench-worker service/scorebench-master; }

trap clean EXIT
trap 'exit 130' INT TERM
clean
kube wait --for=delete job/scorebench-master job/scorebench-worker --timeout=120s >/dev/null 2>&1 || true
kube apply -f "$here/settings.yaml"
sed "s|image: scorebench-load|image: $image|" "$here/master.yaml" | kube apply -f -
sed "s|image: scorebench-load|image: $image|" "$here/workers.yaml" | kube apply -f -

pod=
until [ -n "$pod" ]; do
    sleep 1
    pod=$(kube get pods -l app.kubernetes.io/name=scorebench,app.kubernetes.io/component=master -o name | head -n 1)
done
kube wait "--for=jsonpath={.status.phase}=Running" "$pod" --timeout=300s
kube logs --follow --container master "$pod" || true
until code=$(kube exec --container reports "$pod" -- cat /work/reports/exit-code 2>/dev/null); do
    [ "$(kube get "$pod" -o 'jsonpath={.status.phase}')" = Running ] || { echo "the run ended without a report" >&2; exit 1; }
    sleep 1
done
mkdir -p reports
kube exec --container reports "$pod" -- tar -C /work/reports --exclude ./exit-code -cf - . | tar -C reports -xf -
kube exec --container reports "$pod" -- touch /work/reports/copied
echo "reports copied to ./reports; exit code $code"
exit "$code"
