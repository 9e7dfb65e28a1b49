"""The Bot API as data: what its methods take, what its types hold, and whether a value is of a type."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRIMITIVES: dict[str, tuple[type, ...]] = {
    "Integer": (int,),
    "String": (str,),
    "Boolean": (bool,),
    "True": (bool,),
    "Float": (int, float),
}


@dataclass(frozen=True)
class Specification:
    """Telegram's methods and types, by name."""

    methods: dict[str, Any]
    types: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> "Specification":
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(data["methods"], data["types"])

    def parameters(self, method: str) -> set[str]:
        return {field["name"] for field in self.methods[method].get("fields", [])}

    def required(self, method: str) -> set[str]:
        return {field["name"] for field in self.methods[method].get("fields", []) if field["required"]}

    def faults_of_result(self, method: str, value: Any) -> list[str]:
        """What is wrong with a method's result; nothing if it is one of the types that it returns."""
        return self._any(self.methods[method]["returns"], value, method)

    def faults(self, kind: str, value: Any, where: str) -> list[str]:
        """What is wrong with a value of this type."""
        if kind.startswith("Array of "):
            if not isinstance(value, list):
                return [f"{where}: {value!r} is no list"]
            inner = kind.removeprefix("Array of ")
            return [
                fault for i, one in enumerate(value) for fault in self.faults(inner, one, f"{where}[{i}]")
            ]
        if kind in PRIMITIVES:
            right = isinstance(value, PRIMITIVES[kind]) and isinstance(value, bool) == (
                kind in {"Boolean", "True"}
            )
            return [] if right else [f"{where}: {value!r} is no {kind}"]
        definition = self.types[kind]
        if definition.get("subtypes"):
            return self._any(definition["subtypes"], value, where)
        return self._object(definition, value, f"{where}:{kind}")

    def _any(self, kinds: list[str], value: Any, where: str) -> list[str]:
        found = [self.faults(kind, value, where) for kind in kinds]
        return min(found, key=len)

    def _object(self, definition: Any, value: Any, where: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{where}: {value!r} is no object"]
        fields = {field["name"]: field for field in definition.get("fields", [])}
        faults = [f"{where} has no field {name!r}" for name in value if name not in fields]
        for name, field in fields.items():
            if name in value:
                faults += self._any(field["types"], value[name], f"{where}.{name}")
                faults += _constant_faults(field["description"], value[name], f"{where}.{name}")
            elif field["required"]:
                faults.append(f"{where} lacks {name!r}")
        return faults


def _constant_faults(description: str, value: Any, where: str) -> list[str]:
    """A field that tells subtypes apart says in its description what it "always" is."""
    _, always, constant = description.partition("always '")
    expected = constant.partition("'")[0]
    return [f"{where} is {value!r}, not {expected!r}"] if always and value != expected else []
