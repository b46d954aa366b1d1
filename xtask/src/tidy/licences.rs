//! May everything that is built in be given away under Apache-2.0?
//!
//! The list is `deny.toml`'s, so that `cargo deny` and this rule, which needs no tool, agree.

use super::House;
use toml::Table;

pub(super) fn check(house: &House) -> Vec<String> {
    let allowed = match allowed(house) {
        Ok(allowed) => allowed,
        Err(why) => return vec![why],
    };
    let mut broken = Vec::new();
    for package in house.metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        match package["license"].as_str() {
            Some(licence) if permits(licence, &allowed) => {}
            Some(licence) => broken.push(format!("`{name}` is under `{licence}`")),
            None => broken.push(format!("`{name}` states no licence")),
        }
    }
    broken
}

fn allowed(house: &House) -> Result<Vec<String>, String> {
    let file = house.files.iter().find(|file| file.path == "deny.toml");
    let text = file.map_or("", |file| file.text.as_str());
    let table: Table = text.parse().map_err(|error| format!("deny.toml: {error}"))?;
    let list = table.get("licenses").and_then(|licenses| licenses.get("allow")?.as_array());
    let list = list.ok_or("deny.toml has no `licenses.allow`")?;
    Ok(list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

/// Whether an SPDX expression (or crates.io's old `MIT/Apache-2.0`) can be met with `allowed`.
fn permits(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allowed) && rest.is_empty()
}

fn any_of(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut good = all_of(rest, allowed);
    while let ["OR", tail @ ..] = *rest {
        *rest = tail;
        good |= all_of(rest, allowed);
    }
    good
}

fn all_of(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut good = one(rest, allowed);
    while let ["AND", tail @ ..] = *rest {
        *rest = tail;
        good &= one(rest, allowed);
    }
    good
}

fn one(rest: &mut &[&str], allowed: &[String]) -> bool {
    let is_allowed = |name: &str| allowed.iter().any(|other| other == name);
    match *rest {
        ["(", tail @ ..] => {
            *rest = tail;
            let good = any_of(rest, allowed);
            *rest = rest.strip_prefix(&[")"]).unwrap_or(&[]);
            good
        }
        [name, "WITH", exception, tail @ ..] => {
            *rest = tail;
            is_allowed(&format!("{name} WITH {exception}"))
        }
        [name, tail @ ..] => {
            *rest = tail;
            is_allowed(name)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_met_only_by_allowed_licences() {
        let allowed = ["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"];
        let allowed = allowed.map(str::to_owned);
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR GPL-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(permits(good, &allowed), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "", "MIT WITH Some-exception", "MIT MIT"] {
            assert!(!permits(bad, &allowed), "{bad}");
        }
    }
}
