//! Macros: calls whose arguments are not values, but names and expressions.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, LiteralValue},
};

use super::{Lowered, Lowering};
use crate::{
    Fault, Shape,
    node::{Loop, LoopKind, Node},
};

/// The names of the macros, for suggestions.
pub(super) const NAMES: &[&str] = &[
    "has",
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "filter",
    "map",
    "transformList",
    "transformMap",
    "transformMapEntry",
    "sortBy",
    "optMap",
    "optFlatMap",
];

impl Lowering<'_> {
    /// What a macro means; nothing where the call is none.
    pub(super) fn expand(&mut self, at: &IdedExpr, call: &CallExpr) -> Result<Option<(Node, Shape)>, Fault> {
        let args = call.args.as_slice();
        let Some(target) = &call.target else {
            return match (call.func_name.as_str(), args) {
                ("has", [field]) => self.has(at, field).map(Some),
                ("has", _) => Err(self.fault(at, "has() takes one field, as in has(resource.region)")),
                _ => Ok(None),
            };
        };
        if matches!(&target.expr, Expr::Ident(name) if name == "cel") && !self.is_variable("cel") {
            return self.cel(at, call);
        }
        if matches!(call.func_name.as_str(), "optMap" | "optFlatMap")
            && let [name, body] = args
        {
            let (of, _) = self.node(target)?;
            let name = self.variable(name)?;
            let body = self.within(vec![(name, Shape::Dyn)], |inner| inner.node(body))?.0;
            let flat = call.func_name == "optFlatMap";
            return Ok(Some((
                Node::OptionalMap { of: Box::new(of), body: Box::new(body), flat },
                Shape::Dyn,
            )));
        }
        let (kind, names, filter, body) = match (call.func_name.as_str(), args) {
            ("all", [name, body]) => (LoopKind::All, vec![name], None, body),
            ("all", [index, name, body]) => (LoopKind::All, vec![index, name], None, body),
            ("exists", [name, body]) => (LoopKind::Exists, vec![name], None, body),
            ("exists", [index, name, body]) => (LoopKind::Exists, vec![index, name], None, body),
            ("exists_one" | "existsOne", [name, body]) => (LoopKind::ExistsOne, vec![name], None, body),
            ("exists_one" | "existsOne", [index, name, body]) => {
                (LoopKind::ExistsOne, vec![index, name], None, body)
            }
            ("filter", [name, body]) => (LoopKind::Filter, vec![name], None, body),
            ("map", [name, body]) => (LoopKind::List, vec![name], None, body),
            ("map", [name, filter, body]) => (LoopKind::List, vec![name], Some(filter), body),
            ("sortBy", [name, body]) => (LoopKind::SortBy, vec![name], None, body),
            ("transformList", [index, name, body]) => (LoopKind::List, vec![index, name], None, body),
            ("transformList", [index, name, filter, body]) => {
                (LoopKind::List, vec![index, name], Some(filter), body)
            }
            ("transformMap", [key, name, body]) => (LoopKind::Map, vec![key, name], None, body),
            ("transformMap", [key, name, filter, body]) => {
                (LoopKind::Map, vec![key, name], Some(filter), body)
            }
            ("transformMapEntry", [key, name, body]) => (LoopKind::MapEntry, vec![key, name], None, body),
            ("transformMapEntry", [key, name, filter, body]) => {
                (LoopKind::MapEntry, vec![key, name], Some(filter), body)
            }
            _ => return Ok(None),
        };
        self.repeat(kind, target, &names, filter, body).map(Some)
    }

    fn repeat(
        &mut self,
        kind: LoopKind,
        over: &IdedExpr,
        names: &[&IdedExpr],
        filter: Option<&IdedExpr>,
        body: &IdedExpr,
    ) -> Lowered {
        let (over, shape) = self.node(over)?;
        let element = match &shape {
            Shape::List(of) => (**of).clone(),
            _ => Shape::Dyn,
        };
        let pairs = names.len() == 2;
        let mut locals = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let last = at + 1 == names.len();
            locals.push((self.variable(name)?, if last { element.clone() } else { Shape::Dyn }));
        }
        let (filter, body) = self.within(locals, |inner| {
            let filter = filter.map(|filter| inner.node(filter)).transpose()?;
            Ok((filter.map(|(node, _)| node), inner.node(body)?.0))
        })?;
        let shape = match kind {
            LoopKind::All | LoopKind::Exists | LoopKind::ExistsOne => Shape::Bool,
            LoopKind::Filter | LoopKind::SortBy => Shape::list(element),
            LoopKind::List => Shape::list(Shape::Dyn),
            LoopKind::Map | LoopKind::MapEntry => Shape::Dyn,
        };
        Ok((Node::Loop(Box::new(Loop { kind, over, pairs, filter, body })), shape))
    }

    fn has(&mut self, at: &IdedExpr, field: &IdedExpr) -> Lowered {
        match &field.expr {
            Expr::Select(select) => {
                let (of, shape) = self.node(&select.operand)?;
                self.field(field, &select.operand, &shape, &select.field)?;
                Ok((Node::Has { of: Box::new(of), field: select.field.clone() }, Shape::Bool))
            }
            _ => Err(self.fault(at, "has() takes a field, as in has(resource.region)")),
        }
    }

    /// `cel.bind(name, value, expression)`, and the `cel.block` of optimizers.
    fn cel(&mut self, at: &IdedExpr, call: &CallExpr) -> Result<Option<(Node, Shape)>, Fault> {
        match (call.func_name.as_str(), call.args.as_slice()) {
            ("bind", [name, value, body]) => {
                let (value, shape) = self.node(value)?;
                let name = self.variable(name)?;
                let (body, _) = self.within(vec![(name, shape)], |inner| inner.node(body))?;
                Ok(Some((Node::Bind(vec![value], Box::new(body)), Shape::Dyn)))
            }
            ("block", [IdedExpr { expr: Expr::List(list), .. }, body]) => {
                let before = self.locals.len();
                let mut values = Vec::new();
                for (index, value) in list.elements.iter().enumerate() {
                    values.push(self.node(value)?.0);
                    self.locals.push((format!("@index{index}"), Shape::Dyn));
                }
                let body = self.boxed(body)?;
                self.locals.truncate(before);
                Ok(Some((Node::Bind(values, body), Shape::Dyn)))
            }
            ("index" | "iterVar", _) => {
                let name = self.variable(&IdedExpr { id: at.id, expr: Expr::Call(call.clone()) })?;
                match self.locals.iter().rposition(|(local, _)| *local == name) {
                    Some(local) => Ok(Some((Node::Local(local), Shape::Dyn))),
                    None => Err(self.fault(at, "there is no such value of cel.block around here")),
                }
            }
            _ => Ok(None),
        }
    }

    /// The name that a macro gives to something.
    fn variable(&self, expr: &IdedExpr) -> Result<String, Fault> {
        match &expr.expr {
            Expr::Ident(name) if !name.starts_with('.') => Ok(name.clone()),
            Expr::Call(call) if matches!(call.func_name.as_str(), "index" | "iterVar") => {
                let mut name = format!("@{}", call.func_name);
                for arg in &call.args {
                    let Expr::Literal(LiteralValue::Int(number)) = &arg.expr else {
                        return Err(self.fault(arg, "a number is wanted here"));
                    };
                    name.push_str(&number.inner().to_string());
                    if call.func_name == "iterVar" {
                        name.push(':');
                    }
                }
                Ok(name)
            }
            _ => Err(self.fault(expr, "a macro wants a plain name here, as `x` in items.all(x, x > 0)")),
        }
    }

    fn within<T>(
        &mut self,
        locals: Vec<(String, Shape)>,
        then: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let before = self.locals.len();
        self.locals.extend(locals);
        let done = then(self);
        self.locals.truncate(before);
        done
    }
}
