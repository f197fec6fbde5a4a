//! The walk over the objects of a kind, page by page.

use std::sync::Arc;

use async_trait::async_trait;
use events::kubernetes::{Kind, Reader};
use model::{ResourceFact, Source};
use ports::{ApiKind, Cluster, ClusterError, Discovery, Form, ListRequest};
use serde_json::Value;

use super::fault;
use crate::{Certainty, Fault, FaultKind, Lister, Page, Verdict};

/// How many objects a page has; fewer where they are too large together.
const LIMIT: u32 = 500;

/// Definitions are large.
const DEFINITIONS: u32 = 50;

/// Where custom resources are defined.
const DEFINING: (&str, &str) = ("apiextensions.k8s.io", "CustomResourceDefinition");

/// The pages of one list.
#[derive(Debug)]
pub(super) struct Pager {
    cluster: Arc<dyn Cluster>,
    kind: ApiKind,
    form: Form,
    limit: u32,
    from: Option<String>,
    ended: bool,
    /// How many more the server said that there are, on the last page.
    remaining: i64,
}

impl Pager {
    pub(super) fn new(cluster: Arc<dyn Cluster>, kind: ApiKind, form: Form) -> Self {
        Self { cluster, kind, form, limit: LIMIT, from: None, ended: false, remaining: 0 }
    }

    fn of(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// The objects of the next page, or `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Value>>, ClusterError> {
        if self.ended {
            return Ok(None);
        }
        let page = loop {
            let from = self.from.as_deref();
            let request = ListRequest { kind: &self.kind, form: self.form, limit: self.limit, from };
            match self.cluster.list(&request).await {
                Err(ClusterError::TooLarge { .. }) if self.limit > 1 => self.limit = (self.limit / 10).max(1),
                other => break other?,
            }
        };
        self.ended = page.next.is_none();
        self.remaining = page.remaining.unwrap_or(0);
        self.from = page.next;
        Ok(Some(page.items))
    }
}

/// The listing of the objects of a kind.
#[derive(Debug)]
pub(super) struct Objects {
    pub(super) reader: Reader,
    pub(super) kind: Kind,
    pub(super) pager: Pager,
}

#[async_trait]
impl Lister for Objects {
    fn source(&self) -> Source {
        events::kubernetes::source()
    }

    fn certainty(&self) -> Certainty {
        Certainty::Now
    }

    async fn page(&mut self) -> Result<Option<Page>, Fault> {
        let Some(items) = self.pager.next().await.map_err(|error| fault(&error))? else { return Ok(None) };
        let mut page = Page::default();
        for item in &items {
            match self.reader.read(&self.kind, item) {
                Ok(fact) => page.facts.push(fact),
                Err(rejection) => page.unreadable.push(rejection.message),
            }
        }
        Ok(Some(page))
    }

    async fn finish(&mut self, _seen: usize) -> Result<Verdict, Fault> {
        if self.pager.remaining > 0 {
            return Ok(Verdict::Incomplete {
                reason: format!(
                    "the list ended although the server said that {} more follow",
                    self.pager.remaining
                ),
                advice: String::new(),
            });
        }
        Ok(Verdict::Complete)
    }
}

/// A listing whose end is known before it begins: of a cluster, or of a kind that is gone.
#[derive(Debug)]
pub(super) struct Prepared(Option<Page>);

impl Prepared {
    pub(super) fn of(fact: ResourceFact) -> Self {
        Self(Some(Page { facts: vec![fact], ..Page::default() }))
    }

    pub(super) fn empty() -> Self {
        Self(None)
    }
}

#[async_trait]
impl Lister for Prepared {
    fn source(&self) -> Source {
        events::kubernetes::source()
    }

    fn certainty(&self) -> Certainty {
        Certainty::Now
    }

    async fn page(&mut self) -> Result<Option<Page>, Fault> {
        Ok(self.0.take())
    }

    async fn finish(&mut self, _seen: usize) -> Result<Verdict, Fault> {
        Ok(Verdict::Complete)
    }
}

/// That a kind is gone: the cluster names it no more although it answered for its group, and nothing defines it. A
/// definition alone is not enough to be named: a version of it must be served too.
pub(super) async fn prove_vanished(
    cluster: Arc<dyn Cluster>,
    discovery: &Discovery,
    group: &str,
    kind: &str,
) -> Result<(), Fault> {
    let not_proven = |why: String| Fault::new(FaultKind::Unreachable, why);
    if discovery.kinds.iter().any(|own| own.group == group && own.kind == kind) {
        return Err(not_proven(format!(
            "the cluster names the kind {kind} again; it is planned anew next time"
        )));
    }
    let of_group = |api: &str| api.rsplit_once('/').map_or("", |(own, _)| own) == group;
    if let Some(broken) = discovery.broken.iter().find(|broken| of_group(&broken.api)) {
        return Err(not_proven(format!("{} did not answer: {}", broken.api, broken.reason)));
    }
    let defining = discovery.kinds.iter().find(|own| (&*own.group, &*own.kind) == DEFINING);
    let Some(defining) = defining else {
        return Err(not_proven("the cluster does not say which custom resources are defined".to_owned()));
    };
    let mut pager = Pager::new(cluster, defining.clone(), Form::Whole).of(DEFINITIONS);
    while let Some(definitions) = pager.next().await.map_err(|error| fault(&error))? {
        for definition in definitions {
            let text = |path| definition.pointer(path).and_then(Value::as_str);
            if text("/spec/group") == Some(group) && text("/spec/names/kind") == Some(kind) {
                return Err(Fault::with_advice(
                    FaultKind::Unexpected,
                    format!("the kind {kind}.{group} is defined, but the cluster does not serve it"),
                    "serve a version of its CustomResourceDefinition, or delete the definition",
                ));
            }
        }
    }
    if pager.remaining > 0 {
        return Err(not_proven("the list of definitions ended before its end".to_owned()));
    }
    Ok(())
}

/// What to say of a part of the API that did not answer when the shards were planned.
pub(super) fn broken(discovery: &Discovery, api: &str) -> Fault {
    match discovery.broken.iter().find(|broken| broken.api == api) {
        Some(broken) => Fault::with_advice(
            FaultKind::Unexpected,
            format!("{api} did not answer, so its kinds are not known: {}", broken.reason),
            "`kubectl get apiservices` says which server should answer for it",
        ),
        None => Fault::new(
            FaultKind::Unexpected,
            format!("{api} answers again; its kinds are listed after the next planning"),
        ),
    }
}
