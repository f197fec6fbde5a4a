//! From the syntax tree to what is evaluated: every name is looked up here, once.

mod macros;
mod names;

use cel::{
    IdedExpr,
    common::ast::{
        CallExpr, EntryExpr, Expr, ListExpr, LiteralValue, MapExpr, SelectExpr, SourceInfo, operators,
    },
};

use crate::{
    Fault, Scope, Shape,
    functions::{self, Style},
    node::{Element, Entry, Node, Operator},
    parse::{MAX_DEPTH, Tree},
    suggest::did_you_mean,
    value::Val,
};

/// How deep nodes may nest: brackets, conditions, and what stands between them.
const MAX_NODES_DEEP: usize = MAX_DEPTH * 2;

/// Resolves an expression.
///
/// # Errors
/// When it names what there is not.
pub(crate) fn lower(source: &str, scope: &Scope, tree: &Tree) -> Result<Node, Fault> {
    let mut lowering = Lowering {
        source,
        scope,
        positions: &tree.positions,
        alias: tree.alias.as_deref(),
        locals: Vec::new(),
        depth: 0,
    };
    lowering.node(&tree.root).map(|(node, _)| node)
}

struct Lowering<'s> {
    source: &'s str,
    scope: &'s Scope,
    positions: &'s SourceInfo,
    alias: Option<&'s str>,
    /// The names of the variables of loops around here, outermost first.
    locals: Vec<(String, Shape)>,
    depth: usize,
}

type Lowered = Result<(Node, Shape), Fault>;

impl Lowering<'_> {
    fn fault(&self, at: &IdedExpr, message: impl Into<String>) -> Fault {
        let mut offset = self.positions.offset_for(at.id).map_or(0, |(start, _)| start as usize);
        // A field stands at the dot before it; what is wrong is behind it.
        if matches!(at.expr, Expr::Select(_)) {
            offset += 1;
        }
        Fault::at_char(self.source, offset, message)
    }

    /// A name that there is not.
    fn unknown(&self, at: &IdedExpr, message: String) -> Lowered {
        if self.scope.unchecked {
            return Ok((Node::Unknown(message), Shape::Dyn));
        }
        Err(self.fault(at, message))
    }

    fn node(&mut self, expr: &IdedExpr) -> Lowered {
        self.depth += 1;
        if self.depth > MAX_NODES_DEEP {
            return Err(self.fault(expr, "the expression nests too deep"));
        }
        let lowered = self.node_here(expr);
        self.depth -= 1;
        lowered
    }

    fn boxed(&mut self, expr: &IdedExpr) -> Result<Box<Node>, Fault> {
        self.node(expr).map(|(node, _)| Box::new(node))
    }

    fn node_here(&mut self, expr: &IdedExpr) -> Lowered {
        match &expr.expr {
            Expr::Literal(literal) => Ok((Node::Constant(constant(literal)), shape_of(literal))),
            Expr::Ident(_) => self.name(expr),
            Expr::Select(select) => self.select(expr, select),
            Expr::Call(call) => self.call(expr, call),
            Expr::List(list) => self.list(list),
            Expr::Map(map) => self.map(expr, map),
            Expr::Struct(message) => {
                Err(self.fault(expr, format!("messages such as `{}` cannot be made here", message.type_name)))
            }
            Expr::Comprehension(_) | Expr::Unspecified => {
                Err(self.fault(expr, "the expression is incomplete"))
            }
        }
    }

    fn list(&mut self, list: &ListExpr) -> Lowered {
        let mut elements = Vec::with_capacity(list.elements.len());
        for (at, element) in list.elements.iter().enumerate() {
            let (value, _) = self.node(element)?;
            elements.push(Element { value, optional: list.optional_indices.contains(&at) });
        }
        Ok((Node::List(elements), Shape::list(Shape::Dyn)))
    }

    fn map(&mut self, expr: &IdedExpr, map: &MapExpr) -> Lowered {
        let mut entries = Vec::with_capacity(map.entries.len());
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return Err(self.fault(expr, "a map has keys and values"));
            };
            let (key, _) = self.node(&entry.key)?;
            let (value, _) = self.node(&entry.value)?;
            entries.push(Entry { key, value, optional: entry.optional });
        }
        Ok((Node::Map(entries), Shape::Dyn))
    }

    fn select(&mut self, expr: &IdedExpr, select: &SelectExpr) -> Lowered {
        if let Some(found) = self.qualified(expr) {
            return found;
        }
        let (of, shape) = self.node(&select.operand)?;
        let shape = self.field(expr, &select.operand, &shape, &select.field)?;
        let time = matches!(shape, Shape::Timestamp | Shape::Duration);
        Ok((Node::Select { of: Box::new(of), field: select.field.clone(), time }, shape))
    }

    /// The shape of a field.
    fn field(&self, at: &IdedExpr, of: &IdedExpr, shape: &Shape, field: &str) -> Result<Shape, Fault> {
        match shape {
            Shape::Dyn => Ok(Shape::Dyn),
            Shape::Map(of) => Ok((**of).clone()),
            Shape::Record { fields, open } => match fields.get(field) {
                Some(shape) => Ok(shape.clone()),
                None if *open => Ok(Shape::Dyn),
                None => Err(self.fault(
                    at,
                    format!(
                        "unknown field `{field}` of `{}`{}",
                        self.spelled(of),
                        did_you_mean(field, fields.keys().map(String::as_str))
                    ),
                )),
            },
            Shape::List(_) => Err(self.fault(
                at,
                format!(
                    "`{}` is a list and has no field `{field}`; use an index or a macro such as exists()",
                    self.spelled(of)
                ),
            )),
            Shape::Bool | Shape::Int | Shape::Double | Shape::String | Shape::Timestamp | Shape::Duration => {
                Err(self.fault(at, format!("`{}` has no fields, so not `{field}`", self.spelled(of))))
            }
        }
    }

    fn call(&mut self, expr: &IdedExpr, call: &CallExpr) -> Lowered {
        if let Some(lowered) = self.operator(expr, call)? {
            return Ok(lowered);
        }
        if let Some(lowered) = self.expand(expr, call)? {
            return Ok(lowered);
        }
        if let Some(target) = &call.target {
            // `math.abs(x)`: a name with dots, unless it begins with a variable.
            if let Some(name) = self.spelled_name(target)
                && !self.is_variable(&name)
            {
                let full = format!("{name}.{}", call.func_name);
                if let Some(function) = functions::find(&full, Style::Global) {
                    return self.called(expr, function, None, &call.args);
                }
                if functions::is_namespace(&name) {
                    let known = functions::names(Style::Global);
                    let hint = did_you_mean(&full, known);
                    return self.unknown(expr, format!("unknown function `{full}`{hint}"));
                }
            }
            return match functions::find(&call.func_name, Style::Member) {
                Some(function) => self.called(expr, function, Some(target), &call.args),
                None => self.unknown_function(expr, &call.func_name, Style::Member),
            };
        }
        let name = call.func_name.trim_start_matches('.');
        match functions::find(name, Style::Global) {
            Some(function) => self.called(expr, function, None, &call.args),
            None => self.unknown_function(expr, name, Style::Global),
        }
    }

    fn unknown_function(&self, at: &IdedExpr, name: &str, style: Style) -> Lowered {
        let other = match style {
            Style::Member if macros::NAMES.contains(&name) => {
                Some(format!(" with these arguments; `{name}` is a macro, as in items.{name}(x, x > 0)"))
            }
            Style::Member => functions::find(name, Style::Global).map(|_| format!("; write `{name}(...)`")),
            Style::Global => {
                functions::find(name, Style::Member).map(|_| format!("; write `value.{name}(...)`"))
            }
        };
        let hint = other.unwrap_or_else(|| {
            let macros = macros::NAMES.iter().copied();
            did_you_mean(name, functions::names(style).chain(macros))
        });
        if self.scope.unchecked {
            return Ok((Node::Unknown(format!("unknown function `{name}`{hint}")), Shape::Dyn));
        }
        // A call stands at its bracket; its name is what is wrong.
        let bracket = self.positions.offset_for(at.id).map_or(0, |(start, _)| start as usize);
        let start = bracket.saturating_sub(name.chars().count());
        Err(Fault::at_char(self.source, start, format!("unknown function `{name}`{hint}")))
    }

    fn called(
        &mut self,
        at: &IdedExpr,
        function: &'static functions::Function,
        target: Option<&IdedExpr>,
        args: &[IdedExpr],
    ) -> Lowered {
        let given = args.len();
        let extra = usize::from(target.is_some());
        if !(usize::from(function.least)..=usize::from(function.most)).contains(&(given + extra)) {
            let least = usize::from(function.least).saturating_sub(extra);
            let most = usize::from(function.most).saturating_sub(extra);
            let wants = if least == most { format!("{least}") } else { format!("{least} to {most}") };
            return self.unknown(at, format!("`{}` takes {wants} arguments, not {given}", function.name));
        }
        let mut values = Vec::with_capacity(given + extra);
        for arg in target.into_iter().chain(args) {
            values.push(self.node(arg)?.0);
        }
        if function.name == "matches"
            && let Some(Node::Constant(Val::Text(pattern))) = values.get(1)
        {
            let regex = functions::regex::compile(pattern).map_err(|why| self.fault(at, why))?;
            return Ok((Node::Matches(Box::new(values.swap_remove(0)), regex), Shape::Bool));
        }
        let shape = if matches!(function.name, "timestamp") { Shape::Timestamp } else { Shape::Dyn };
        Ok((Node::Call(function, values), shape))
    }

    fn operator(&mut self, expr: &IdedExpr, call: &CallExpr) -> Result<Option<(Node, Shape)>, Fault> {
        if call.target.is_some() {
            return Ok(None);
        }
        let node = match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::CONDITIONAL, [condition, then, otherwise]) => {
                let (condition, _) = self.node(condition)?;
                let (then, _) = self.node(then)?;
                let (otherwise, _) = self.node(otherwise)?;
                Node::Condition(Box::new([condition, then, otherwise]))
            }
            (operators::LOGICAL_AND, [_, _]) => Node::And(self.flat(expr, operators::LOGICAL_AND)?),
            (operators::LOGICAL_OR, [_, _]) => Node::Or(self.flat(expr, operators::LOGICAL_OR)?),
            (operators::LOGICAL_NOT, [of]) => Node::Not(self.boxed(of)?),
            (operators::NEGATE, [of]) => Node::Negate(self.boxed(of)?),
            (operators::INDEX | operators::OPT_INDEX, [of, index]) => {
                return self.index(expr, of, index, call.func_name == operators::OPT_INDEX).map(Some);
            }
            (
                operators::OPT_SELECT,
                [of, IdedExpr { expr: Expr::Literal(LiteralValue::String(field)), .. }],
            ) => {
                let (node, shape) = self.node(of)?;
                let field = field.inner();
                self.field(expr, of, &shape, field)?;
                Node::OptionalSelect { of: Box::new(node), field: field.to_owned() }
            }
            (name, [_, _]) if operator(name).is_some() => self.chain(expr)?,
            _ => return Ok(None),
        };
        let shape = match node {
            Node::And(_) | Node::Or(_) | Node::Not(_) => Shape::Bool,
            _ => Shape::Dyn,
        };
        Ok(Some((node, shape)))
    }

    fn index(&mut self, at: &IdedExpr, of: &IdedExpr, index: &IdedExpr, optional: bool) -> Lowered {
        let (node, shape) = self.node(of)?;
        let (index, _) = self.node(index)?;
        let mut shape = match (&shape, &index) {
            (Shape::Record { .. }, Node::Constant(Val::Text(field))) => self.field(at, of, &shape, field)?,
            (Shape::List(of) | Shape::Map(of), _) => (**of).clone(),
            _ => Shape::Dyn,
        };
        // What is read by index stays as it is written.
        if optional || matches!(shape, Shape::Timestamp | Shape::Duration) {
            shape = Shape::Dyn;
        }
        Ok((Node::Index { of: Box::new(node), index: Box::new(index), optional }, shape))
    }

    /// The operands of a row of `&&` or `||`, which the tree holds as pairs of pairs.
    fn flat(&mut self, expr: &IdedExpr, name: &str) -> Result<Vec<Node>, Fault> {
        let mut operands = Vec::new();
        let mut waiting = vec![expr];
        while let Some(next) = waiting.pop() {
            match &next.expr {
                Expr::Call(call) if call.func_name == name && call.target.is_none() => {
                    waiting.extend(call.args.iter().rev());
                }
                _ => operands.push(self.node(next)?.0),
            }
        }
        Ok(operands)
    }

    /// A row of operators that are done from left to right: `a + b - c`.
    fn chain(&mut self, expr: &IdedExpr) -> Result<Node, Fault> {
        let mut steps = Vec::new();
        let mut first = expr;
        while let Expr::Call(call) = &first.expr
            && let [left, right] = call.args.as_slice()
            && call.target.is_none()
            && let Some(operator) = operator(&call.func_name)
        {
            steps.push((operator, right));
            first = left;
        }
        let (first, _) = self.node(first)?;
        let mut rest = Vec::with_capacity(steps.len());
        for (operator, right) in steps.into_iter().rev() {
            rest.push((operator, self.node(right)?.0));
        }
        Ok(Node::Chain(Box::new(first), rest))
    }
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        operators::ADD => Operator::Add,
        operators::SUBSTRACT => Operator::Subtract,
        operators::MULTIPLY => Operator::Multiply,
        operators::DIVIDE => Operator::Divide,
        operators::MODULO => Operator::Remainder,
        operators::EQUALS => Operator::Equal,
        operators::NOT_EQUALS => Operator::NotEqual,
        operators::LESS => Operator::Less,
        operators::LESS_EQUALS => Operator::LessOrEqual,
        operators::GREATER => Operator::Greater,
        operators::GREATER_EQUALS => Operator::GreaterOrEqual,
        operators::IN => Operator::In,
        _ => return None,
    })
}

fn constant(literal: &LiteralValue) -> Val<'static> {
    match literal {
        LiteralValue::Boolean(value) => Val::Bool(*value.inner()),
        LiteralValue::Bytes(bytes) => Val::Bytes(bytes.inner().into()),
        LiteralValue::Double(number) => Val::Double(*number.inner()),
        LiteralValue::Int(number) => Val::Int(*number.inner()),
        LiteralValue::Null => Val::Null,
        LiteralValue::String(text) => Val::text(text.inner()),
        LiteralValue::UInt(number) => Val::Uint(*number.inner()),
    }
}

fn shape_of(literal: &LiteralValue) -> Shape {
    match literal {
        LiteralValue::Boolean(_) => Shape::Bool,
        LiteralValue::Double(_) => Shape::Double,
        LiteralValue::Int(_) => Shape::Int,
        LiteralValue::String(_) => Shape::String,
        LiteralValue::Bytes(_) | LiteralValue::Null | LiteralValue::UInt(_) => Shape::Dyn,
    }
}
