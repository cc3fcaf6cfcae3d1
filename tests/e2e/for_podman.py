"""Kubernetes manifests as `podman play kube` 4.3 can run them, on standard output.

    kubectl kustomize OVERLAY | for_podman.py FOLDER

What that podman does not have is written in what it has: a Job is the Pod of its template; a part
of a volume (subPath) is a volume, or a file in FOLDER, of its own; a secret, which it would write
undecoded and for everybody to read, lies in FOLDER as a kubelet lays it out: root's, of the pod's
group, with the mode that is asked for; probes over HTTP, for which it would look for curl in the
container, are left to the caller, and so are ports, as there is no network of its own; variables in
arguments stand there with their values. Everything else goes through as it is: image, arguments,
environment, init containers, users, rights, volumes.
"""
import base64
import os
import pathlib
import sys

import yaml

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


class Pod:
    def __init__(self, spec, documents, folder):
        self.spec, self.folder = spec, pathlib.Path(folder)
        self.data = {(d["kind"], d["metadata"]["name"]): d.get("data", {}) for d in documents}
        self.volumes = {}
        self.containers = spec["containers"] + spec.get("initContainers", [])

    def convert(self):
        wholes = {volume["name"]: volume for volume in self.spec["volumes"]}
        for container in self.containers:
            for key in ("ports", *PROBES):
                container.pop(key, None)
            for variable in container.get("env", []):
                self.expand(container, variable)
            container["volumeMounts"] = [
                mount for mount in container["volumeMounts"]
                if self.mount(mount, wholes[mount["name"]])]
        self.spec["volumes"] = list(self.volumes.values())
        return self.spec

    def expand(self, container, variable):
        source = variable["valueFrom"]["configMapKeyRef"]
        value = self.data["ConfigMap", source["name"]][source["key"]]
        container["args"] = [word.replace(f"$({variable['name']})", value)
                             for word in container["args"]]

    def mount(self, mount, whole):
        part = mount.pop("subPath", None)
        if "secret" in whole:
            source = self.secret(whole["secret"])
        elif part is None:
            source = {key: value for key, value in whole.items() if key != "name"}
        elif "configMap" in whole:
            source = self.setting(whole["configMap"]["name"], part)
        else:
            claim = whole["persistentVolumeClaim"]["claimName"]
            source = {"persistentVolumeClaim": {"claimName": f"{claim}-{part}"}}
        if source is None:
            return False
        name = whole["name"] + (f"-{part}" if part else "")
        mount["name"] = name.replace(".", "-").replace("_", "-")
        self.volumes[mount["name"]] = {"name": mount["name"], **source}
        return True

    def setting(self, name, key):
        file = self.folder / key
        file.write_text(self.data["ConfigMap", name][key])
        return {"hostPath": {"path": str(file), "type": "File"}}

    def secret(self, secret):
        data = self.data.get(("Secret", secret["secretName"]))
        if data is None:
            assert secret["optional"], f"no secret {secret['secretName']}"
            return None
        folder = self.folder / secret["secretName"]
        folder.mkdir()
        for name, text in data.items():
            (folder / name).write_bytes(base64.b64decode(text))
            os.chown(folder / name, -1, self.spec["securityContext"]["fsGroup"])
            (folder / name).chmod(secret["defaultMode"])
        return {"hostPath": {"path": str(folder), "type": "Directory"}}


def main():
    documents = list(yaml.safe_load_all(sys.stdin))
    for document in documents:
        metadata = document["metadata"]
        if document["kind"] == "Job":
            spec = document["spec"]["template"]["spec"]
            pod = {"apiVersion": "v1", "kind": "Pod",
                   "metadata": {"name": metadata["name"], "labels": metadata["labels"]},
                   "spec": Pod(spec, documents, sys.argv[1]).convert()}
        elif document["kind"] == "ConfigMap":
            metadata.pop("namespace", None)
            pod = document
        else:
            continue
        print("---")
        print(yaml.safe_dump(pod))


main()
