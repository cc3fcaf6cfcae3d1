"""Whether a list of contents on standard input is SPDX 2.3 as JSON, by the text of the standard
(https://spdx.github.io/spdx-spec/v2.3/); clauses are named where a rule is from.

Which fields there are and which must be is what its JSON schema says, of the elements that lists of
images have: whoever reads one with that schema refuses every other name. What the schema leaves to
the text is looked at besides: the forms of values, identifiers, what belongs to what, and the codes
that packages have of their files.
"""
import hashlib
import json
import re
import sys

ID = r"SPDXRef-[A-Za-z0-9.-]+"  # 6.3, 7.2, 8.2
NO_WORD = r"NONE|NOASSERTION"
LICENSE = rf"{NO_WORD}|[A-Za-z0-9.+() -]+"  # Annex D
URI = r"[a-z][a-z0-9+.-]*:[^\s#]+"
LINE = r"[^\n]+"
HASHES = {"SHA1": 40, "SHA224": 56, "SHA256": 64, "SHA384": 96, "SHA512": 128}  # 8.4
RELATIONSHIPS = {"DESCRIBES", "CONTAINS", "DYNAMIC_LINK", "STATIC_LINK", "DEPENDS_ON"}  # 11.1

CHECKSUM = {"algorithm": "|".join(HASHES), "checksumValue": "[0-9a-f]+"}
DOCUMENT = {
    "spdxVersion": r"SPDX-2\.3",            # 6.1
    "dataLicense": r"CC0-1\.0",             # 6.2
    "SPDXID": "SPDXRef-DOCUMENT",           # 6.3
    "name": LINE,                           # 6.4
    "documentNamespace": URI,               # 6.5
    "creationInfo": {
        "creators": [rf"(Person|Organization|Tool): {LINE}"],        # 6.8
        "created": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",               # 6.9
    },
    "packages": [{
        "name": LINE,                       # 7.1
        "SPDXID": ID,                       # 7.2
        "versionInfo?": LINE,               # 7.3
        "supplier?": rf"(Person|Organization): {LINE}|NOASSERTION",  # 7.5
        "downloadLocation": f"{URI}|{NO_WORD}",                      # 7.7
        "filesAnalyzed?": bool,             # 7.8
        "packageVerificationCode?": {"packageVerificationCodeValue": "[0-9a-f]{40}"},  # 7.9
        "licenseConcluded?": LICENSE,       # 7.13
        "licenseInfoFromFiles?": [LICENSE],  # 7.14
        "licenseDeclared?": LICENSE,        # 7.15
        "copyrightText?": LINE,             # 7.17
        "externalRefs?": [{                 # 7.21, Annex F
            "referenceCategory": "OTHER|PERSISTENT-ID|SECURITY|PACKAGE-MANAGER",
            "referenceType": r"[a-zA-Z0-9.-]+",
            "referenceLocator": r"\S+",
        }],
    }],
    "files": [{
        "fileName": r"\./[^\n]+",           # 8.1
        "SPDXID": ID,                       # 8.2
        "checksums": [CHECKSUM],            # 8.4
        "licenseConcluded?": LICENSE,       # 8.5
        "licenseInfoInFiles?": [LICENSE],   # 8.6
        "copyrightText?": LINE,             # 8.8
    }],
    "relationships": [{                     # 11.1
        "spdxElementId": ID, "relationshipType": "|".join(sorted(RELATIONSHIPS)),
        "relatedSpdxElement": f"{ID}|{NO_WORD}",
    }],
}

complaints = []


def complain(where, what):
    complaints.append(f"{where}: {what}")


def check(value, form, where):
    """`form` is a type, a pattern of text, [of items], or {name: form}; names with ? may lack."""
    if isinstance(form, type):
        if not isinstance(value, form):
            complain(where, f"is {value!r}")
    elif isinstance(form, str):
        if not isinstance(value, str) or not re.fullmatch(form, value):
            complain(where, f"is {value!r}, which has not the form {form}")
    elif isinstance(form, list):
        if not isinstance(value, list) or not value:
            return complain(where, "is no list, or an empty one")
        for index, item in enumerate(value):
            check(item, form[0], f"{where}[{index}]")
    elif not isinstance(value, dict):
        complain(where, "is no object")
    else:
        known = {name.rstrip("?"): inner for name, inner in form.items()}
        for name in value.keys() - known.keys():
            complain(where, f"there is no field {name}")
        for name in form:
            plain = name.rstrip("?")
            if plain in value:
                check(value[plain], known[plain], f"{where}.{plain}")
            elif not name.endswith("?"):
                complain(where, f"{name} is missing")


def check_identifiers(document):
    """They are unique (7.2, 8.2), and relationships meet them (11.1)."""
    elements = [document, *document["packages"], *document["files"]]
    ids = [element["SPDXID"] for element in elements]
    for name in {name for name in ids if ids.count(name) > 1}:
        complain(name, "is the identifier of two")
    for relationship in document["relationships"]:
        for end in ("spdxElementId", "relatedSpdxElement"):
            if relationship[end] not in ids:
                complain(relationship[end], "is in a relationship, and nowhere else")


def check_files(document):
    """Each file has its SHA-1 (8.4) and is in one package, whose code is of its files (7.9)."""
    sha1 = {}
    for file in document["files"]:
        values = {sum["algorithm"]: sum["checksumValue"] for sum in file["checksums"]}
        for algorithm, value in values.items():
            if len(value) != HASHES[algorithm]:
                complain(file["fileName"], f"{algorithm} has {len(value)} digits")
        if "SHA1" not in values:
            complain(file["fileName"], "has no SHA1")
        sha1[file["SPDXID"]] = values.get("SHA1", "")
    names = [file["fileName"] for file in document["files"]]
    for name in {name for name in names if names.count(name) > 1}:
        complain(name, "is listed twice")
    inside = [(relationship["spdxElementId"], relationship["relatedSpdxElement"])
              for relationship in document["relationships"]
              if relationship["relationshipType"] == "CONTAINS"]
    for file in sha1:
        if sum(content == file for _, content in inside) != 1:
            complain(file, "is not in one package")
    for package in document["packages"]:
        files = [file for owner, file in inside if owner == package["SPDXID"]]
        code = package.get("packageVerificationCode", {}).get("packageVerificationCodeValue")
        if not package.get("filesAnalyzed", True):
            if files or code or "licenseInfoFromFiles" in package:
                complain(package["name"], "has files that nobody analysed")
            continue
        text = "".join(sorted(sha1.get(file, "") for file in files))
        if code != hashlib.sha1(text.encode()).hexdigest():
            complain(package["name"], "has another code than that of its files")


def check_description(document):
    """The document says what it describes (11.1), and all packages hang together with that."""
    links = [(r["spdxElementId"], r["relatedSpdxElement"]) for r in document["relationships"]]
    described = [r for r in document["relationships"] if r["relationshipType"] == "DESCRIBES"]
    if [r["spdxElementId"] for r in described] != ["SPDXRef-DOCUMENT"]:
        complain("SPDXRef-DOCUMENT", "does not describe one thing")
    reached, new = set(), {"SPDXRef-DOCUMENT"}
    while new:
        reached |= new
        new = {to for start, to in links if start in reached} - reached
    for element in document["packages"] + document["files"]:
        if element["SPDXID"] not in reached:
            complain(element["SPDXID"], "has nothing to do with the image")


spdx = json.load(sys.stdin)
check(spdx, DOCUMENT, "document")
if not complaints:
    check_identifiers(spdx)
    check_files(spdx)
    check_description(spdx)
for complaint in complaints:
    print(complaint)
sys.exit(1 if complaints else 0)
