"""A FHIR server as far as a transaction bundle needs one: conditional create and update, and references."""

import json
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit


class FhirServer:
    """Takes transactions by the rules of https://hl7.org/fhir/R4/http.html (ccreate, cond-update, transaction)."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], dict[str, Any]] = {}
        """Resources by type and the id that the server gave."""

    def of(self, kind: str) -> list[dict[str, Any]]:
        """All resources of a type."""
        return [resource for (held, _), resource in self.held.items() if held == kind]

    def post(self, bundle: dict[str, Any]) -> list[str]:
        """Take a transaction: all of it, or an error. Gives the status of each entry."""
        assert bundle["type"] == "transaction"
        places, statuses = {}, []
        for entry in bundle["entry"]:
            request, kind = entry["request"], entry["resource"]["resourceType"]
            url = urlsplit(request["url"])
            assert url.path == kind
            query = request["ifNoneExist"] if request["method"] == "POST" else url.query
            found = self._matching(kind, query)
            assert len(found) <= 1, "412 Precondition Failed"
            places[entry["fullUrl"]] = f"{kind}/{found[0] if found else uuid.uuid4()}"
            statuses.append("200" if found else "201")
        for entry, status in zip(bundle["entry"], statuses, strict=True):
            if status == "200" and entry["request"]["method"] == "POST":
                continue
            text = json.dumps(entry["resource"])
            for full_url, place in places.items():
                text = text.replace(f'"reference": "{full_url}"', f'"reference": "{place}"')
            assert '"reference": "urn:' not in text, "a reference leads nowhere"
            kind, given = places[entry["fullUrl"]].split("/")
            self.held[kind, given] = {**json.loads(text), "id": given}
        return statuses

    def _matching(self, kind: str, query: str) -> list[str]:
        ((identifier,),) = parse_qs(query).values()
        system, value = identifier.split("|")
        wanted = {"system": system, "value": value}
        return [
            given
            for (held, given), resource in self.held.items()
            if held == kind and wanted in resource["identifier"]
        ]
