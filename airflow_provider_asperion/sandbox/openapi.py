"""Describes the emulated API as OpenAPI, made from the schema map, so that both can never differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.sandbox.schema import RESOURCES

if TYPE_CHECKING:
    from airflow_provider_asperion.sandbox.schema import Field, Resource

_NEVER_EMPTY = frozenset({"id", "code", "name"})
_TYPES: dict[str, dict[str, str]] = {
    "text": {"type": "string"},
    "int": {"type": "integer"},
    "number": {"type": "number"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date-time"},
    "any": {},
}


def openapi_document(base: str, *, change_dates: bool = False) -> dict[str, Any]:
    """Return the OpenAPI document of the emulator.

    :param base: address of the emulator.
    :param change_dates: lists can be filtered by ``dateLastChange`` (a switch; no such filter is known).
    """
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for resource in RESOURCES:
        schemas[resource.title] = _schema(resource)
        paths[f"/v1/{resource.path}"] = _list_path(resource, change_dates=change_dates)
        paths[f"/v1/{resource.path}/{{id}}"] = _item_path(resource)
    paths["/v1/salesinvoiceswithlines/{id}/file"] = {"post": _operation("SalesInvoiceWithLines", [_KEY])}
    return {
        "openapi": "3.0.1",
        "info": {
            "title": "Asperion API (sandbox)",
            "version": "v1",
            "description": "Emulated. Descriptions tell the source of each name.",
        },
        "servers": [{"url": base or "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"bearer": []}],
    }


_KEY = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_TENANT = {"name": "X-Tenant-Id", "in": "header", "schema": {"type": "integer"}}
_SELF = {"type": "object", "properties": {"self": {"type": "string"}}, "readOnly": True}
_PAGE = {
    "type": "object",
    "description": "[go]",
    "properties": {
        "administrationId": {"type": "integer"},
        "administrationName": {"type": "string"},
        "profileName": {"type": "string"},
        "previousPage": {"type": "string", "nullable": True},
        "nextPage": {"type": "string", "nullable": True},
        "totalCount": {"type": "integer"},
        "pageCount": {"type": "integer"},
        "self": {"type": "string"},
    },
}


def _schema(resource: Resource) -> dict[str, Any]:
    properties = {field.name: _property(field) for field in resource.fields if not field.filter_only}
    if resource.line_fields:
        line = {
            "type": "object",
            "properties": {field.name: _property(field) for field in resource.line_fields},
        }
        count = {"type": "object", "properties": {"totalCount": {"type": "integer"}}, "readOnly": True}
        properties["lines"] = {
            "type": "object",
            "properties": {"_data": {"type": "array", "items": line}, "_meta": count},
        }
    properties["_meta"] = _SELF
    return {"type": "object", "description": resource.source, "properties": properties}


def _property(field: Field) -> dict[str, Any]:
    nullable = field.name not in _NEVER_EMPTY
    return {
        **_TYPES[field.kind],
        "nullable": nullable,
        "readOnly": field.read_only,
        "description": field.source,
    }


def _list_path(resource: Resource, *, change_dates: bool) -> dict[str, Any]:
    parameters = _query(resource, change_dates=change_dates)
    operations = {"get": _operation(resource.title, parameters, many=True)}
    if "POST" in resource.verbs:
        validate = {"name": "validateOnly", "in": "query", "schema": {"type": "boolean"}}
        operations["post"] = _operation(resource.title, [validate], body=True)
    return operations


def _item_path(resource: Resource) -> dict[str, Any]:
    operations = {"get": _operation(resource.title, [_KEY])}
    for verb in ("PUT", "PATCH"):
        if verb in resource.verbs:
            operations[verb.lower()] = _operation(resource.title, [_KEY], body=True)
    return operations


def _query(resource: Resource, *, change_dates: bool) -> list[dict[str, Any]]:
    """Return the parameters of a list: filters in PascalCase [go], paging [go]."""
    names = {
        "page": "integer",
        "pageSize": "integer",
        "fields": "string",
        "orderBy": "string",
        "metaOnly": "boolean",
    }
    for field in resource.fields:
        if field.filterable or (change_dates and field.name == "dateLastChange"):
            name = field.name[:1].upper() + field.name[1:]
            names[name] = _TYPES[field.kind].get("type", "string")
            if field.kind == "text":
                names[f"{name}_comparison"] = "string"
            elif field.kind == "date":
                names |= {f"{name}_from": "string", f"{name}_to": "string"}
    return [{"name": name, "in": "query", "schema": {"type": kind}} for name, kind in names.items()]


def _operation(
    title: str, parameters: list[dict[str, Any]], *, many: bool = False, body: bool = False
) -> dict[str, Any]:
    one: dict[str, Any] = {"$ref": f"#/components/schemas/{title}"}
    if many:
        one = {
            "type": "object",
            "properties": {"_data": {"type": "array", "items": one}, "_meta": _PAGE},
        }
    operation: dict[str, Any] = {
        "tags": [title],
        "parameters": [*parameters, _TENANT],
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": one}}}},
    }
    if body:
        operation["requestBody"] = {"content": {"application/json": {"schema": one}}}
    return operation
