//! What people wrote: manifests in and out.

use std::sync::Arc;

use aide::{
    OperationInput,
    axum::{
        ApiRouter,
        routing::{get_with, post_with},
    },
    generate::GenContext,
    openapi::{MediaType, Operation, ReferenceOr, RequestBody},
    operation::{ParamLocation, add_parameters, parameters_from_schema},
};
use axum::{
    Json, RequestExt,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, Request, State},
    http::{StatusCode, request::Parts},
};
use catalog::{
    Page,
    manifests::{Applied, Generation, NewManifest, Stored},
};
use manifest::{Fault, Kind as ManifestKind, Manifest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::say;
use crate::{
    App,
    input::{Limit, NoParams, Params},
    problem::{Kind, Problem},
};

/// The largest body, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// The routes of manifests.
pub(super) fn routes() -> ApiRouter<Arc<App>> {
    let list_say = say("listManifests", "List manifests by kind and name");
    let apply_say = say("applyManifests", "Apply manifests, all or none, or see what applying them would do");
    let show_say = say("getManifest", "One manifest as it stands");
    let put_say = say("putManifest", "Apply one manifest");
    let delete_say = say("deleteManifest", "Delete one manifest; its generations stay");
    let generations_say = say("listManifestGenerations", "A manifest as it ever stood, the latest first");
    ApiRouter::new()
        .api_route("/api/v1/manifests", get_with(list, list_say).merge(post_with(apply, apply_say)))
        .api_route(
            "/api/v1/manifests/{kind}/{name}",
            get_with(show, show_say).put_with(put, put_say).delete_with(delete, delete_say),
        )
        .api_route("/api/v1/manifests/{kind}/{name}/generations", get_with(generations, generations_say))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// Only those of this kind.
    kind: Option<ManifestKind>,
    /// How many items.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ApplyParams {
    /// Says what would change, and changes nothing.
    #[serde(default)]
    dry_run: bool,
}

/// What applying did, or would do, to each manifest, and what may not be meant so.
#[derive(Debug, Serialize, JsonSchema)]
struct Report {
    items: Vec<Applied>,
    warnings: Vec<Fault>,
}

/// What was deleted.
#[derive(Debug, Serialize, JsonSchema)]
struct Deleted {
    kind: ManifestKind,
    name: String,
}

async fn list(
    State(app): State<Arc<App>>,
    Params(ListParams { kind, limit, cursor }): Params<ListParams>,
) -> Result<Json<Page<Stored>>, Problem> {
    let kind = kind.map(ManifestKind::as_str);
    Ok(Json(app.context.catalog.manifest_page(kind, limit.0, cursor.as_deref()).await?))
}

async fn apply(
    State(app): State<Arc<App>>,
    Params(ApplyParams { dry_run }): Params<ApplyParams>,
    Text(text): Text,
) -> Result<Json<Report>, Problem> {
    let (manifests, warnings) = read(&text)?;
    report(&app, &manifests, warnings, dry_run).await
}

async fn show(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
    named: Named,
) -> Result<Json<Stored>, Problem> {
    let found = app.context.catalog.manifest(named.kind.as_str(), &named.name).await?;
    found.map(Json).ok_or_else(|| no_such_manifest(&named))
}

async fn generations(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
    named: Named,
) -> Result<Json<Page<Generation>>, Problem> {
    let items = app.context.catalog.manifest_generations(named.kind.as_str(), &named.name).await?;
    if items.is_empty() { Err(no_such_manifest(&named)) } else { Ok(Json(Page { items, next: None })) }
}

async fn put(
    State(app): State<Arc<App>>,
    Params(ApplyParams { dry_run }): Params<ApplyParams>,
    named: Named,
    Text(text): Text,
) -> Result<Json<Report>, Problem> {
    let (manifests, warnings) = read(&text)?;
    match manifests.as_slice() {
        [one] if one.kind() == named.kind && one.name() == named.name => {
            report(&app, &manifests, warnings, dry_run).await
        }
        [one] => Err(Problem::new(
            Kind::BadBody,
            format!(
                "The body is {}/{}, and the address is that of {}/{}.",
                one.kind(),
                one.name(),
                named.kind,
                named.name
            ),
        )),
        several => {
            let detail = format!(
                "The body holds {} manifests; this address takes one, and POST /api/v1/manifests several.",
                several.len()
            );
            Err(Problem::new(Kind::BadBody, detail))
        }
    }
}

async fn delete(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
    named: Named,
) -> Result<Json<Deleted>, Problem> {
    let name = (named.kind.as_str().to_owned(), named.name.clone());
    let gone = app.context.catalog.delete_manifests(&[name], app.context.clock.now()).await?;
    if gone.is_empty() {
        return Err(no_such_manifest(&named));
    }
    Ok(Json(Deleted { kind: named.kind, name: named.name }))
}

/// The manifests of a body, and what may not be meant so in them. One error refuses all: they are applied together.
fn read(text: &str) -> Result<(Vec<Manifest>, Vec<Fault>), Problem> {
    let (manifests, faults) = manifest::lint(text, "");
    if faults.iter().any(Fault::is_error) {
        return Err(Problem::manifests(faults));
    }
    if manifests.is_empty() {
        return Err(Problem::new(Kind::BadBody, "The body holds no manifest; send YAML or JSON."));
    }
    Ok((manifests, faults))
}

async fn report(
    app: &App,
    manifests: &[Manifest],
    warnings: Vec<Fault>,
    dry_run: bool,
) -> Result<Json<Report>, Problem> {
    let new: Vec<NewManifest> = manifests
        .iter()
        .map(|manifest| NewManifest {
            kind: manifest.kind().as_str().to_owned(),
            name: manifest.name().to_owned(),
            body: manifest.body(),
        })
        .collect();
    let catalog = &app.context.catalog;
    let items = if dry_run {
        catalog.plan_manifests(&new).await?
    } else {
        catalog.apply_manifests(&new, app.context.clock.now()).await?
    };
    Ok(Json(Report { items, warnings }))
}

fn no_such_manifest(named: &Named) -> Problem {
    let detail =
        format!("There is no {} called `{}`; GET /api/v1/manifests lists all.", named.kind, named.name);
    Problem::new(Kind::NotFound, detail)
}

/// What names a manifest in a path.
#[derive(Debug, Deserialize, JsonSchema)]
struct Named {
    /// Its kind.
    kind: ManifestKind,
    /// Its name.
    name: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read: Result<Path<(String, String)>, _> = Path::from_request_parts(parts, state).await;
        let Path((kind, name)) = read.map_err(|error| Problem::new(Kind::BadParameter, error.body_text()))?;
        if name.contains('\0') {
            return Err(Problem::new(Kind::BadParameter, "The name holds NUL, which no manifest's does."));
        }
        let kind = kind.parse().map_err(|why: String| Problem::new(Kind::NotFound, why))?;
        Ok(Self { kind, name })
    }
}

impl OperationInput for Named {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let schema = ctx.schema.subschema_for::<Self>();
        let parameters = parameters_from_schema(ctx, schema, ParamLocation::Path);
        add_parameters(ctx, operation, parameters);
    }
}

/// A body of manifests.
#[derive(Debug)]
struct Text(String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Problem;

    async fn from_request(mut request: Request, _state: &S) -> Result<Self, Problem> {
        DefaultBodyLimit::max(MAX_BODY).apply(&mut request);
        let read: Result<Bytes, _> = request.extract().await;
        match read.map(|bytes| String::from_utf8(bytes.to_vec())) {
            Ok(Ok(text)) => Ok(Self(text)),
            Ok(Err(_)) => Err(Problem::new(Kind::BadBody, "The body is not UTF-8.")),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Problem::new(
                Kind::TooLarge,
                "At most 1 MB of manifests is taken at once; send fewer a request.",
            )),
            Err(_) => Err(Problem::new(Kind::BadBody, "The body ended before it was whole; send it again.")),
        }
    }
}

impl OperationInput for Text {
    fn operation_input(_ctx: &mut GenContext, operation: &mut Operation) {
        let content = ["application/yaml", "application/json"]
            .map(|kind| (kind.to_owned(), MediaType::default()))
            .into_iter()
            .collect();
        let description = "Manifests: YAML of one document or several, or JSON".to_owned();
        operation.request_body = Some(ReferenceOr::Item(RequestBody {
            description: Some(description),
            content,
            required: true,
            ..RequestBody::default()
        }));
    }
}
