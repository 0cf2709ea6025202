//! The JSON Schema of scenario files, for editors.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};

use crate::budget::BUDGETS;
use crate::written::WrittenScenario;

/// The schema as it stands in `schema.json`: pretty JSON with a final line feed.
pub fn schema() -> String {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<WrittenScenario>();
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        allow_placeholders(definitions);
        // One selector or a list of them: read by hand, so said by hand.
        let selector = json!({ "type": "string" });
        let selectors =
            json!({ "anyOf": [selector, { "type": "array", "items": selector, "minItems": 1 }] });
        definitions.insert("Selectors".to_owned(), selectors);
    }
    let mut schema = schema.to_value();
    without_null(&mut schema);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema has only text keys");
    text.push('\n');
    text
}

/// What may be left out may not be written as nothing: `null` goes from types, choices and defaults.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("default") == Some(&Value::Null) {
                map.remove("default");
            }
            for key in ["type", "anyOf"] {
                let Some(Value::Array(choices)) = map.get_mut(key) else {
                    continue;
                };
                choices.retain(|choice| {
                    *choice != json!("null") && *choice != json!({ "type": "null" })
                });
                if let [only] = choices.as_slice() {
                    let only = only.clone();
                    match (key, only) {
                        ("anyOf", Value::Object(only)) => {
                            map.remove(key);
                            map.extend(only);
                        }
                        (_, only) => {
                            map.insert(key.to_owned(), only);
                        }
                    }
                }
            }
            map.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// Definitions of closed words that stand in timelines, where `$name` may stand instead.
const WORDS: [&str; 5] = ["Component", "Moment", "Resource", "Signal", "Unit"];

fn allow_placeholders(definitions: &mut Map<String, Value>) {
    for name in WORDS {
        if let Some(definition) = definitions.get_mut(name) {
            let word = definition.take();
            *definition = json!({ "anyOf": [word, { "$ref": "#/$defs/Placeholder" }] });
        }
    }
    let placeholder = json!({
        "description": "A value that every case sets under `set`.",
        "type": "string",
        "pattern": "^\\$[a-z][a-z0-9-]*$",
    });
    definitions.insert("Placeholder".to_owned(), placeholder);
    // Numbers of a timeline can be set, too.
    for (definition, field) in [
        ("At", "occurrence"),
        ("Delete", "limit"),
        ("Tear", "keep_bytes"),
    ] {
        let field = definitions
            .get_mut(definition)
            .and_then(|definition| definition.get_mut("properties")?.get_mut(field));
        if let Some(Value::Object(field)) = field
            && let Some(Value::String(kind)) = field.get("type").cloned()
        {
            field.insert("type".to_owned(), json!([kind, "string"]));
        }
    }
}

/// Budgets by name, each a duration or `none`.
pub(crate) fn budgets(_generator: &mut SchemaGenerator) -> Schema {
    let properties: Map<String, Value> = BUDGETS
        .iter()
        .map(|budget| {
            let description = format!(
                "{}. {} unless said; `none`: not judged.",
                budget.limits, budget.default
            );
            (
                budget.name.to_owned(),
                json!({ "type": "string", "description": description }),
            )
        })
        .collect();
    json_schema!({ "type": "object", "additionalProperties": false, "properties": properties })
}

/// Plain values by name.
pub(crate) fn set(generator: &mut SchemaGenerator) -> Schema {
    let name = String::json_schema(generator);
    json_schema!({
        "type": "object",
        "propertyNames": { "pattern": "^[a-z][a-z0-9-]*$", "type": name.get("type") },
        "additionalProperties": { "type": ["string", "number", "boolean"] },
    })
}
