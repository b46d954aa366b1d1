//! Is a value what its JSON Schema says?
//!
//! As much of draft 2020-12 as the schemas in `docs/schema/` use; a keyword that is not known here
//! is an error, so that no part of a schema goes unchecked in silence.

use serde_json::Value;

/// Keywords that describe and do not restrict.
const WORDS: &[&str] = &["$schema", "$id", "$defs", "title", "description", "examples", "default"];

/// Everything about `value` that `schema` forbids, each with the place it stands at.
pub(crate) fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let rules = match schema {
        Value::Object(rules) => rules,
        Value::Bool(true) => return,
        _ => return found.push(format!("{at}: is not allowed")),
    };
    for (keyword, rule) in rules {
        let broken = match keyword.as_str() {
            word if WORDS.contains(&word) => None,
            "$ref" => {
                match rule.as_str().and_then(|path| root.pointer(path.trim_start_matches('#'))) {
                    Some(target) => check(root, target, value, at, found),
                    None => found.push(format!("{at}: `$ref` leads nowhere")),
                }
                None
            }
            "properties" | "additionalProperties" | "items" | "anyOf" => {
                check_inside(root, schema, keyword, value, at, found);
                None
            }
            _ => broken(keyword, rule, value),
        };
        found.extend(broken.map(|why| format!("{at}: {why}")));
    }
}

/// Keywords that hold further schemas.
fn check_inside(
    root: &Value,
    schema: &Value,
    keyword: &str,
    value: &Value,
    at: &str,
    found: &mut Vec<String>,
) {
    let rule = &schema[keyword];
    match (keyword, value) {
        ("properties", Value::Object(fields)) => {
            for (name, inner) in fields {
                if let Some(inner_schema) = rule.get(name) {
                    check(root, inner_schema, inner, &format!("{at}/{name}"), found);
                }
            }
        }
        ("additionalProperties", Value::Object(fields)) => {
            for (name, inner) in fields {
                if schema["properties"].get(name).is_none() {
                    check(root, rule, inner, &format!("{at}/{name}"), found);
                }
            }
        }
        ("items", Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                check(root, rule, item, &format!("{at}/{index}"), found);
            }
        }
        ("anyOf", _) => {
            let fits = |option: &Value| {
                let mut inner = Vec::new();
                check(root, option, value, at, &mut inner);
                inner.is_empty()
            };
            if !rule.as_array().is_some_and(|options| options.iter().any(fits)) {
                found.push(format!("{at}: fits none of `anyOf`"));
            }
        }
        _ => {}
    }
}

/// Keywords that stand alone.
fn broken(keyword: &str, rule: &Value, value: &Value) -> Option<String> {
    let length = || value.as_str().map(|text| text.chars().count() as f64);
    let items = || value.as_array().map(|items| items.len() as f64);
    let at_least = |found: Option<f64>| found.zip(rule.as_f64()).is_none_or(|(n, min)| n >= min);
    let at_most = |found: Option<f64>| found.zip(rule.as_f64()).is_none_or(|(n, max)| n <= max);
    let good = match keyword {
        "type" => match rule {
            Value::Array(types) => types.iter().any(|kind| is_of_type(kind, value)),
            kind => is_of_type(kind, value),
        },
        "const" => rule == value,
        "enum" => rule.as_array().is_some_and(|allowed| allowed.contains(value)),
        "required" => match value.as_object() {
            Some(fields) => {
                let names = rule.as_array().into_iter().flatten().filter_map(Value::as_str);
                let missing: Vec<&str> = names.filter(|name| !fields.contains_key(*name)).collect();
                return (!missing.is_empty()).then(|| format!("{missing:?} is missing"));
            }
            None => true,
        },
        "minimum" => at_least(value.as_f64()),
        "maximum" => at_most(value.as_f64()),
        "exclusiveMinimum" => value.as_f64().zip(rule.as_f64()).is_none_or(|(n, min)| n > min),
        "minLength" => at_least(length()),
        "maxLength" => at_most(length()),
        "minItems" => at_least(items()),
        "maxItems" => at_most(items()),
        "uniqueItems" => value.as_array().is_none_or(|items| {
            items.iter().enumerate().all(|(index, item)| !items[..index].contains(item))
        }),
        "format" => value.as_str().is_none_or(|text| rule != "date-time" || is_utc_time(text)),
        "pattern" => match rule.as_str() {
            Some("^[0-9a-f]{32}$") => value.as_str().is_none_or(|text| is_hex(text, 32)),
            Some("^[0-9a-f]{64}$") => value.as_str().is_none_or(|text| is_hex(text, 64)),
            _ => return Some(format!("pattern {rule} is not known to the checker")),
        },
        _ => return Some(format!("keyword `{keyword}` is not known to the checker")),
    };
    (!good).then(|| format!("breaks `{keyword}`: {rule}"))
}

fn is_of_type(kind: &Value, value: &Value) -> bool {
    match kind.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// RFC 3339 in UTC: `2020-01-01T00:00:00Z`, with any fraction.
fn is_utc_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let fraction =
        shape.strip_prefix("0000-00-00T00:00:00").and_then(|rest| rest.strip_suffix('Z'));
    fraction.is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('.')
                .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte == b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["id", "at"],
            "additionalProperties": false,
            "properties": {
                "id": { "type": "string", "pattern": "^[0-9a-f]{32}$" },
                "at": { "$ref": "#/$defs/time" },
                "n": { "type": ["integer", "null"], "minimum": 1 },
                "list": { "type": "array", "items": { "enum": ["a", "b"] }, "uniqueItems": true },
                "either": { "anyOf": [{ "type": "string" }, { "const": 0 }] }
            },
            "$defs": { "time": { "type": "string", "format": "date-time" } }
        })
    }

    fn value() -> Value {
        json!({
            "id": "0123456789abcdef0123456789abcdef", "at": "2020-01-01T00:00:00.5Z",
            "n": null, "list": ["a", "b"], "either": 0,
        })
    }

    #[test]
    fn a_value_that_fits_passes() {
        assert_eq!(violations(&schema(), &value()), Vec::<String>::new());
    }

    #[test]
    fn every_rule_bites() {
        for (field, wrong) in [
            ("id", json!("xyz")),
            ("at", json!("2020-01-01 00:00:00")),
            ("at", json!(7)),
            ("n", json!(0)),
            ("n", json!(1.5)),
            ("list", json!(["c"])),
            ("list", json!(["a", "a"])),
            ("either", json!(1)),
            ("other", json!(1)),
        ] {
            let mut changed = value();
            changed[field] = wrong;
            assert!(!violations(&schema(), &changed).is_empty(), "{field}: {changed}");
        }
        assert!(!violations(&schema(), &json!({ "id": "x" })).is_empty());
    }

    #[test]
    fn an_unknown_keyword_is_an_error() {
        assert!(!violations(&json!({ "contains": {} }), &json!([])).is_empty());
        assert!(!violations(&json!({ "pattern": "^x$" }), &json!("x")).is_empty());
    }
}
