//! JSON Schemas of the kinds, for editors.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::{API_VERSION, Kind, Metadata, document::spec_schema};

/// The JSON Schema of a manifest of a kind; any editor that speaks the YAML language server takes it.
#[must_use]
pub fn schema(kind: Kind) -> Value {
    let mut generator = SchemaSettings::draft07().into_generator();
    let spec = spec_schema(kind, &mut generator);
    let metadata = generator.subschema_for::<Metadata>();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": kind.as_str(),
        "type": "object",
        "additionalProperties": false,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": kind.as_str()},
            "metadata": metadata,
            "spec": spec,
        },
        "definitions": generator.take_definitions(true),
    })
}
