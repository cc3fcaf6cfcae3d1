"""What must hold of the Compose file and of rendered Kubernetes manifests, on standard input.

    kubectl kustomize OVERLAY | manifests.py kubernetes
    manifests.py compose < compose.yaml

Fields are checked against the tables below, which hold what the API knows of the kinds used here
(https://kubernetes.io/docs/reference/kubernetes-api/, v1.32; a cluster refuses other names), and
names against what they refer to. Options of fx are looked up in its help.
"""
import os
import re
import subprocess
import sys

import yaml

META = {"name": str, "namespace?": str, "labels?": dict, "annotations?": dict}
PROBE = {"httpGet?": {"path": str, "port": (int, str), "scheme?": str}, "exec?": {"command": [str]},
         "periodSeconds?": int, "timeoutSeconds?": int, "failureThreshold?": int,
         "initialDelaySeconds?": int, "successThreshold?": int}
CONTAINER = {
    "name": str, "image": str, "imagePullPolicy?": str, "args?": [str], "command?": [str],
    "env?": [{"name": str, "value?": str,
              "valueFrom?": {"configMapKeyRef?": {"name": str, "key": str, "optional?": bool},
                             "secretKeyRef?": {"name": str, "key": str, "optional?": bool}}}],
    "ports?": [{"name?": str, "containerPort": int, "protocol?": str}],
    "startupProbe?": PROBE, "livenessProbe?": PROBE, "readinessProbe?": PROBE,
    "resources?": {"requests?": dict, "limits?": dict},
    "securityContext?": {"readOnlyRootFilesystem?": bool, "allowPrivilegeEscalation?": bool,
                         "capabilities?": {"drop?": [str], "add?": [str]}, "runAsUser?": int},
    "volumeMounts?": [{"name": str, "mountPath": str, "subPath?": str, "readOnly?": bool}],
}
POD = {
    "containers": [CONTAINER], "initContainers?": [CONTAINER], "restartPolicy?": str,
    "automountServiceAccountToken?": bool, "enableServiceLinks?": bool,
    "terminationGracePeriodSeconds?": int,
    "securityContext?": {"runAsNonRoot?": bool, "runAsUser?": int, "runAsGroup?": int,
                         "fsGroup?": int, "fsGroupChangePolicy?": str,
                         "seccompProfile?": {"type": str}},
    "volumes?": [{"name": str,
                  "secret?": {"secretName": str, "optional?": bool, "defaultMode?": int},
                  "configMap?": {"name": str, "optional?": bool, "defaultMode?": int},
                  "persistentVolumeClaim?": {"claimName": str, "readOnly?": bool}}],
}
PORTS = [{"port": int, "protocol?": str}]
PEERS = [{"namespaceSelector?": {"matchLabels?": dict}, "podSelector?": {"matchLabels?": dict},
          "ipBlock?": {"cidr": str, "except?": [str]}}]
POD_FAILURES = {"rules": [{"action": str,
                           "onExitCodes?": {"operator": str, "values": [int],
                                            "containerName?": str},
                           "onPodConditions?": [{"type": str, "status": str}]}]}
KINDS = {
    ("v1", "ConfigMap"): {"data?": dict},
    ("v1", "Secret"): {"type": str, "data?": dict},
    ("v1", "Service"): {"spec": {"type?": str, "selector": dict, "ports": [
        {"name?": str, "port": int, "targetPort": (int, str), "protocol?": str}]}},
    ("v1", "PersistentVolumeClaim"): {"spec": {"accessModes": [str],
                                               "resources": {"requests": {"storage": str}}}},
    ("batch/v1", "Job"): {"spec": {"backoffLimit?": int, "podFailurePolicy?": POD_FAILURES,
                                   "template": {"metadata?": {"labels?": dict}, "spec": POD}}},
    ("networking.k8s.io/v1", "NetworkPolicy"): {"spec": {
        "podSelector": {"matchLabels?": dict}, "policyTypes?": [str],
        "ingress?": [{"from?": PEERS, "ports?": PORTS}],
        "egress?": [{"to?": PEERS, "ports?": PORTS}]}},
}

# The exit codes that are final, as in the systemd units. A site asks nobody again who has refused
# it; an aggregator asks nobody, and what refuses it is its own machine.
FINAL = {"aggregator": [2], "collaborator": [2, 4]}

complaints = []


def complain(where, what):
    complaints.append(f"{where}: {what}")


def check(value, schema, where):
    """`schema` is a type, several, [of items], or {name: schema}; names with ? may lack."""
    if isinstance(schema, list):
        if not isinstance(value, list):
            return complain(where, "is no list")
        for index, item in enumerate(value):
            check(item, schema[0], f"{where}[{index}]")
    elif isinstance(schema, dict):
        if not isinstance(value, dict):
            return complain(where, "is no mapping")
        known = {name.rstrip("?"): inner for name, inner in schema.items()}
        for name in value.keys() - known.keys():
            complain(where, f"the API knows no {name}")
        for name, inner in schema.items():
            if name in value or name.rstrip("?") in value:
                check(value[name.rstrip("?")], inner, f"{where}.{name.rstrip('?')}")
            elif not name.endswith("?"):
                complain(where, f"{name} is missing")
    elif not isinstance(value, schema) or (schema is int and isinstance(value, bool)):
        complain(where, f"is {value!r}")


def check_words(words, where):
    """The words are a command of this fx."""
    help_text = subprocess.run([os.environ["FX"], *words[:2], "--help"], check=False,
                               capture_output=True, text=True).stdout
    for word in words:
        if word.startswith("-") and not re.search(rf"(^|[\s,]){word}[\s,=]", help_text, re.M):
            complain(where, f"fx {' '.join(words[:2])} knows no {word}")


def check_container(container, where):
    guard = container.get("securityContext", {})
    if not guard.get("readOnlyRootFilesystem") or guard.get("allowPrivilegeEscalation", True):
        complain(where, "may write its own files, or become more than it is")
    if guard.get("capabilities", {}).get("drop") != ["ALL"]:
        complain(where, "keeps capabilities")
    ports = {port["containerPort"] for port in container.get("ports", [])}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        at = container.get(probe, {}).get("httpGet", {}).get("port")
        if at is not None and at not in ports:
            complain(where, f"{probe} asks port {at}, which is none of its own")
    check_words(container["args"], where)


def check_settings(container, name, settings, where):
    """What is read of a ConfigMap is in it, and the list of who may take part can change."""
    for mount in container["volumeMounts"]:
        if mount["name"] != name:
            continue
        folder = mount["mountPath"].removeprefix("/workspace/") + "/"
        read = [word.removeprefix(folder) for word in container["args"] if word.startswith(folder)]
        for key in [mount["subPath"]] if "subPath" in mount else read or ["file that is read"]:
            if key not in settings:
                complain(where, f"there is no {key} in {name}")
        if mount.get("subPath") == "cols.yaml":
            complain(where, "cols.yaml is mounted by itself, and so would never change")


def check_pod(pod, objects, where):
    guard = pod["securityContext"]
    if not guard["runAsNonRoot"] or not guard["runAsUser"] or pod["automountServiceAccountToken"]:
        complain(where, "is root, or has a token of the cluster")
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounted = set()
    for container in pod["containers"] + pod.get("initContainers", []):
        check_container(container, f"{where}.{container['name']}")
        for mount in container["volumeMounts"]:
            mounted.add(mount["name"])
            if mount["name"] not in volumes:
                complain(where, f"mounts {mount['name']}, which is no volume")
        for variable in container.get("env", []):
            source = variable.get("valueFrom", {}).get("configMapKeyRef")
            settings = objects["ConfigMap"].get(source["name"] if source else "", {})
            if source and source["key"] not in settings.get("data", {}):
                complain(where, f"{variable['name']} comes from nowhere")
    for container in pod["containers"]:
        for probe in ("livenessProbe", "readinessProbe"):
            if probe not in container:
                complain(where, f"{container['name']} has no {probe}")
    for name, volume in volumes.items():
        if name not in mounted:
            complain(where, f"the volume {name} is not mounted")
        if "secret" in volume and not volume["secret"]["optional"]:
            if volume["secret"]["secretName"] not in objects["Secret"]:
                complain(where, f"there is no secret {volume['secret']['secretName']}")
        if "configMap" in volume:
            settings = objects["ConfigMap"].get(volume["configMap"]["name"], {}).get("data", {})
            check_settings(pod["containers"][0], name, settings, where)
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        if claim and claim != "fx-data" and claim not in objects["PersistentVolumeClaim"]:
            complain(where, f"there is no claim {claim}")


def check_job(job, where):
    """What would end the same way is not tried again (docs/reference/exit-codes.md); else it is."""
    spec = job["spec"]
    final = FINAL[spec["template"]["spec"]["containers"][0]["args"][0]]
    if spec["template"]["spec"].get("restartPolicy") != "Never":
        complain(where, "a pod failure policy needs restartPolicy: Never")
    rules = spec.get("podFailurePolicy", {}).get("rules", [])
    ends = [rule["onExitCodes"] for rule in rules
            if rule["action"] == "FailJob" and "onExitCodes" in rule]
    if not any(end["operator"] == "In" and sorted(end["values"]) == final
               and "containerName" not in end for end in ends):
        complain(where, f"does not end for good with exactly {final}")
    moved = [condition for rule in rules if rule["action"] == "Ignore"
             for condition in rule.get("onPodConditions", [])]
    if {"type": "DisruptionTarget", "status": "True"} not in moved:
        complain(where, "takes a node that is drained for a failure")
    if spec.get("backoffLimit", 6) < 100:
        complain(where, "is not started again through a long outage")


def check_network(policy, chosen, where):
    """Nobody but who is named reaches the end points of a pod."""
    ports = {port["containerPort"]: port["name"] for pod in chosen
             for port in pod["spec"]["containers"][0]["ports"]}
    for rule in policy["spec"].get("ingress", []):
        opened = [port["port"] for port in rule.get("ports", [])] or list(ports)
        for port in opened:
            if port not in ports:
                complain(where, f"lets in to port {port}, where nobody listens")
            elif ports[port] == "health" and not rule.get("from"):
                complain(where, "lets everybody in to the port of the end points")


def check_kubernetes():
    documents = list(yaml.safe_load_all(sys.stdin))
    objects = {kind: {} for _, kind in KINDS}
    for document in documents:
        kind = (document["apiVersion"], document["kind"])
        where = f"{document['kind']}/{document['metadata']['name']}"
        if kind not in KINDS:
            complain(where, f"{kind} is none of the kinds that are known here")
            continue
        check(document, {"apiVersion": str, "kind": str, "metadata": META, **KINDS[kind]}, where)
        objects[document["kind"]][document["metadata"]["name"]] = document
    if complaints:
        return
    jobs = [(name, job["spec"]["template"]) for name, job in objects["Job"].items()]
    assert jobs, "there is no role in it"
    for name, template in jobs:
        check_job(objects["Job"][name], name)
        check_pod(template["spec"], objects, name)
    guarded = []
    for kind in ("Service", "NetworkPolicy"):
        for name, thing in objects[kind].items():
            spec = thing["spec"]
            wanted = spec["selector"] if "selector" in spec else spec["podSelector"]["matchLabels"]
            chosen = [template for _, template in jobs
                      if wanted.items() <= template["metadata"]["labels"].items()]
            if not chosen:
                complain(name, "chooses no pod")
            if kind == "NetworkPolicy":
                check_network(thing, chosen, name)
                guarded += chosen
            ports = {port["containerPort"] for template in chosen
                     for port in template["spec"]["containers"][0]["ports"]}
            for port in thing["spec"].get("ports", []):
                if port["targetPort"] not in ports:
                    complain(name, f"leads to port {port['targetPort']}, where nobody listens")
    for name, template in jobs:
        if template not in guarded:
            complain(name, "has no network policy")


def check_compose():
    services = yaml.safe_load(sys.stdin)["services"]
    assert services.keys() == {"aggregator", "collaborator"}
    for name, service in services.items():
        check(service, {
            "image": str, "user": str, "read_only": bool, "cap_drop": [str], "security_opt": [str],
            "restart": str, "stop_grace_period": str, "profiles": [str], "command": [str],
            "healthcheck": {"test": [str], "interval": str, "timeout": str, "start_period": str},
            "ports?": [str], "volumes": [str], "environment?": [str]}, name)
        if complaints:
            return
        if not service["read_only"] or service["cap_drop"] != ["ALL"]:
            complain(name, "may do more than it needs")
        if any("/cols.yaml:" in volume for volume in service["volumes"]):
            complain(name, "cols.yaml is mounted by itself, and so would never change")
        check_words(service["command"], name)
        check_words(service["healthcheck"]["test"][2:], name)


{"kubernetes": check_kubernetes, "compose": check_compose}[sys.argv[1]]()
for complaint in complaints:
    print(complaint)
sys.exit(1 if complaints else 0)
