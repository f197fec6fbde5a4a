//! A resource as it is named in the shell: one, or several of that name, of which the caller has to choose.

use std::collections::BTreeMap;

use catalog::{Resource, ResourceDetail};
use model::ResourceId;
use selector::{Selector, Term};

use super::{items, read};
use crate::{
    client::{Client, Error, explain, resource_path},
    output,
};

/// How many of those that share a name are looked at, and how many are shown.
const LOOKED_AT: usize = 200;
const SHOWN: usize = 20;

/// Refuses a name that several resources share. Of one that none has, the server says so itself.
pub(super) fn one(client: &Client, reference: &str) -> anyhow::Result<()> {
    if reference.parse::<uuid::Uuid>().is_ok() || reference.starts_with("arn:") {
        return Ok(());
    }
    let mut found = named(client, reference, false)?;
    if found.is_empty() {
        found = named(client, reference, true)?;
    }
    if found.is_empty() {
        return Ok(());
    }
    let taken = taken(client, reference)?;
    if found.iter().all(|resource| resource.id != taken.id) {
        found.push(taken);
    }
    if found.len() == 1 { Ok(()) } else { Err(anyhow::anyhow!(several(reference, &found))) }
}

/// The resources whose native id or name that is, of the type that is said before it, if one is.
fn named(client: &Client, reference: &str, deleted: bool) -> anyhow::Result<Vec<Resource>> {
    let (kind, name) = match reference.split_once('/') {
        Some((kind, name)) if kind.contains("::") => (Some(kind), name),
        _ => (None, reference),
    };
    let mut found: BTreeMap<ResourceId, Resource> = BTreeMap::new();
    for field in ["native_id", "name"] {
        let terms = [(field, Some(name)), ("type", kind)];
        let selector = Selector::of_terms(
            terms.into_iter().filter_map(|(field, value)| Some(Term::equals(field, value?))),
        );
        let query = [("q", selector.to_string()), ("include_deleted", deleted.to_string())];
        let list = match client.list("/resources", &query, LOOKED_AT) {
            Ok(list) => list,
            // What no selector can say, as a name that is too long, names nothing.
            Err(Error::Refused { status: 400, .. }) => return Ok(Vec::new()),
            Err(error) => return Err(explain(error)),
        };
        found.extend(items::<Resource>(&list)?.into_iter().map(|resource| (resource.id, resource)));
    }
    Ok(found.into_values().collect())
}

/// The resource that the server takes for it: perhaps another, of which a source says that it is also called so.
fn taken(client: &Client, reference: &str) -> anyhow::Result<Resource> {
    let detail = client.get(&resource_path(reference, ""), &[]).map_err(explain)?;
    Ok(read::<ResourceDetail>(&detail)?.resource)
}

/// Who shares the name, and how each of them is named alone.
fn several(reference: &str, found: &[Resource]) -> String {
    let rows = found.iter().take(SHOWN).map(|resource| {
        let alike = |other: &&Resource| other.kind == resource.kind && other.native_id == resource.native_id;
        // What the caller typed already does not help.
        let typed = format!("{}/{}", resource.kind, resource.native_id);
        let short = if found.iter().filter(alike).count() == 1 { typed } else { String::new() };
        [
            resource.id.to_string(),
            short,
            resource.name.clone(),
            resource.account.clone(),
            resource.region.clone(),
        ]
    });
    let table = output::table(["ID", "OR", "NAME", "ACCOUNT", "REGION"], rows);
    let more = match found.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("\nand {more} more"),
    };
    format!(
        "{} share the name `{}`; say which by its id{}:\n{table}{more}",
        output::count(found.len(), "resource"),
        output::cut(reference, 200),
        if table.contains("::") { ", or as type/native id" } else { "" },
    )
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    fn resource(number: u8, kind: &str, native_id: &str, account: &str) -> Resource {
        let value = json!({
            "id": format!("6f2d7c1e-0000-5000-8000-0000000000{number:02}"), "provider": "aws", "partition": "aws",
            "account": account, "region": "eu-west-1", "type": kind, "native_id": native_id, "name": "checkout",
            "tags": {}, "evidence": "document", "since": "2026-03-01T00:00:00Z"
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn those_that_share_a_name_are_listed_with_what_names_each_alone() {
        let found = [
            resource(1, "AWS::ECS::Service", "shop/checkout", "111122223333"),
            resource(2, "AWS::Lambda::Function", "checkout", "111122223333"),
            resource(3, "AWS::Lambda::Function", "checkout", "444455556666"),
        ];
        let said: String =
            several("checkout", &found).lines().map(|line| format!("{}\n", line.trim_end())).collect();
        expect![[r#"
            3 resources share the name `checkout`; say which by its id, or as type/native id:
            ID                                    OR                               NAME      ACCOUNT       REGION
            6f2d7c1e-0000-5000-8000-000000000001  AWS::ECS::Service/shop/checkout  checkout  111122223333  eu-west-1
            6f2d7c1e-0000-5000-8000-000000000002                                   checkout  111122223333  eu-west-1
            6f2d7c1e-0000-5000-8000-000000000003                                   checkout  444455556666  eu-west-1
        "#]]
        .assert_eq(&said);
        let twins = several("AWS::Lambda::Function/checkout", &found[1..]);
        assert!(!twins.contains("type/native id"), "{twins}");
    }
}
