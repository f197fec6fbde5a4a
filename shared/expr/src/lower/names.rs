//! What a name means: a variable of a loop, a variable of the scope, or a type.

use std::sync::Arc;

use cel::{IdedExpr, common::ast::Expr};

use super::{Lowered, Lowering};
use crate::{
    Shape,
    functions::{self, Style},
    node::Node,
    suggest::did_you_mean,
    value::{Text, Val},
};

const TYPES: &[&str] = &[
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
    "optional_type",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
    "net.IP",
    "net.CIDR",
];

impl Lowering<'_> {
    /// A name without dots.
    pub(super) fn name(&self, expr: &IdedExpr) -> Lowered {
        let Expr::Ident(name) = &expr.expr else { return Err(self.fault(expr, "a name is wanted")) };
        if let Some(found) = self.local(name) {
            return Ok(found);
        }
        if let Some(found) = self.global(name) {
            return Ok(found);
        }
        let shown = if Some(name.as_str()) == self.alias { "let" } else { name };
        let known = self.scope.names().chain(self.locals.iter().map(|(name, _)| name.as_str()));
        let hint = match functions::find(shown, Style::Global) {
            Some(_) => format!("; `{shown}` is a function: write `{shown}(...)`"),
            None => did_you_mean(shown, known),
        };
        self.unknown(expr, format!("unknown variable `{shown}`{hint}"))
    }

    /// A name with dots that is one name as a whole; nothing where it is a field of something.
    pub(super) fn qualified(&self, expr: &IdedExpr) -> Option<Lowered> {
        let name = self.spelled_name(expr)?;
        let root = name.split('.').next()?;
        if !name.starts_with('.') && self.local(root).is_some() {
            return None;
        }
        self.global(&name).map(Ok)
    }

    /// The variable of a loop, the innermost first.
    fn local(&self, name: &str) -> Option<(Node, Shape)> {
        let at = self.locals.iter().rposition(|(local, _)| local == name)?;
        let (_, shape) = self.locals.get(at)?;
        Some((Node::Local(at), shape.clone()))
    }

    /// A variable of the scope or a type, looked for under the container first.
    fn global(&self, name: &str) -> Option<(Node, Shape)> {
        let name = if Some(name) == self.alias { "let" } else { name };
        let mut container = self.scope.container.as_str();
        let (name, outside) = name.strip_prefix('.').map_or((name, false), |name| (name, true));
        if outside {
            container = "";
        }
        loop {
            let full = if container.is_empty() { name.to_owned() } else { format!("{container}.{name}") };
            if let Some(shape) = self.scope.variables.get(&full) {
                return Some((Node::Variable(full), shape.clone()));
            }
            if TYPES.contains(&full.as_str()) {
                return Some((Node::Constant(Val::Type(Text::Shared(Arc::from(full)))), Shape::Dyn));
            }
            if container.is_empty() {
                return None;
            }
            container = container.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
    }

    /// Whether a name with dots begins with a variable.
    pub(super) fn is_variable(&self, name: &str) -> bool {
        let root = name.split('.').next().unwrap_or(name);
        self.local(root).is_some() || self.scope.variables.contains_key(root)
    }

    /// The name that an expression spells: `a.b.c`; nothing for anything else.
    pub(super) fn spelled_name(&self, expr: &IdedExpr) -> Option<String> {
        let mut parts = Vec::new();
        let mut expr = expr;
        loop {
            match &expr.expr {
                Expr::Ident(name) => {
                    parts.push(if Some(name.as_str()) == self.alias { "let" } else { name });
                    parts.reverse();
                    return Some(parts.join("."));
                }
                Expr::Select(select) if !select.test => {
                    parts.push(&select.field);
                    expr = &select.operand;
                }
                _ => return None,
            }
        }
    }

    /// What an expression is called in a sentence.
    pub(super) fn spelled(&self, expr: &IdedExpr) -> String {
        self.spelled_name(expr).unwrap_or_else(|| "(...)".to_owned())
    }
}
