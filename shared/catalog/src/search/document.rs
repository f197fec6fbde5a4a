//! Conditions on values within documents: numbers as numbers, instants as instants. What the SQL functions take for which,
//! `selector::literal` says in Rust.

use selector::{
    Op, Pattern, Step,
    literal::{self, Literal},
};
use serde_json::{Value, json};

use super::{
    compile::{Compiler, sign},
    moment::push_moment,
    text::{exact, wild},
};

/// There is a value `l.v` at the steps into what `base` pushes, of which `condition` holds.
pub(super) fn push<'q, 'r>(
    compiler: &mut Compiler<'q, 'r>,
    steps: &[Step],
    base: impl FnOnce(&mut Compiler<'q, 'r>),
    condition: impl FnOnce(&mut Compiler<'q, 'r>),
) {
    compiler.sql.push("exists (select 1 from ");
    push_from(compiler, steps, base);
    compiler.sql.push(" where ");
    condition(compiler);
    compiler.sql.push(")");
}

/// The values at the steps, as `l.v`. The document is worked out once: `offset 0` keeps the planner from repeating it.
pub(super) fn push_from<'q, 'r>(
    compiler: &mut Compiler<'q, 'r>,
    steps: &[Step],
    base: impl FnOnce(&mut Compiler<'q, 'r>),
) {
    compiler.sql.push("(select ");
    base(compiler);
    compiler.sql.push(" as v offset 0) s0");
    let mut parts = steps.split(|step| *step == Step::Every).enumerate().peekable();
    while let Some((index, part)) = parts.next() {
        let from = format!("s{index}.v");
        if parts.peek().is_some() {
            compiler.sql.push(", lateral perigee.elements(");
            push_steps(compiler, &from, part);
            compiler.sql.push(format!(") s{} (v)", index + 1));
        } else {
            compiler.sql.push(", lateral (select ");
            push_steps(compiler, &from, part);
            compiler.sql.push(" as v) l");
        }
    }
}

/// The value at keys and places of what `from` names.
fn push_steps(compiler: &mut Compiler<'_, '_>, from: &str, steps: &[Step]) {
    for step in steps.iter().rev() {
        compiler.sql.push(match step {
            Step::Key(_) => "(",
            Step::Index(_) | Step::Every => "perigee.element(",
        });
    }
    compiler.sql.push(from);
    for step in steps {
        match step {
            Step::Key(key) => compiler.sql.push(" -> ").push_bind(key.clone()),
            Step::Index(at) => compiler.sql.push(", ").push_bind(i32::try_from(*at).unwrap_or(i32::MAX)),
            Step::Every => compiler.sql.push(", null"),
        };
        compiler.sql.push(")");
    }
}

/// `l.v` itself.
pub(super) fn the_value(compiler: &mut Compiler<'_, '_>) {
    compiler.sql.push("l.v");
}

/// `l.v` is any of the values: a text as it is, a number or a truth value by what it is.
pub(super) fn equal(compiler: &mut Compiler<'_, '_>, values: &[Pattern]) {
    if values.iter().any(Pattern::is_any) {
        compiler.sql.push("jsonb_typeof(l.v) <> 'null'");
        return;
    }
    let exact = exact(values);
    let numbers: Vec<f64> = exact.iter().filter_map(|text| literal::number(text)).collect();
    let mut scalars: Vec<Value> = exact.iter().map(|text| json!(text)).collect();
    scalars.extend(exact.iter().filter_map(|text| text.parse::<bool>().ok()).map(Value::Bool));
    compiler.sql.push("(l.v = any(").push_bind(scalars).push(")");
    if !numbers.is_empty() {
        compiler.sql.push(" or perigee.json_number(l.v) = any(").push_bind(numbers).push(")");
    }
    for pattern in wild(values) {
        compiler.sql.push(" or perigee.text_of(l.v) like ").push_bind(pattern);
    }
    compiler.sql.push(")");
}

/// A pattern is found in `l.v`, which is a text.
pub(super) fn matches(compiler: &mut Compiler<'_, '_>, pattern: String) {
    compiler.sql.push("perigee.text_of(l.v) ~ ").push_bind(pattern);
}

/// What `value` pushes is before or after a value of the same kind.
pub(super) fn ordered<'q, 'r>(
    compiler: &mut Compiler<'q, 'r>,
    op: Op,
    wanted: &str,
    value: impl Fn(&mut Compiler<'q, 'r>),
) {
    let wanted_kind = literal::literal(wanted);
    compiler.sql.push(match wanted_kind {
        Some(Literal::Number(_)) => "perigee.number_of(",
        Some(Literal::Size(_)) => "perigee.size_of(",
        Some(Literal::Seconds(_)) => "perigee.seconds_of(",
        Some(Literal::Moment(_)) => "perigee.instant_of(",
        None => return compiler.push("false"),
    });
    value(compiler);
    compiler.sql.push(")").push(sign(op));
    match wanted_kind {
        Some(Literal::Number(number) | Literal::Size(number)) => drop(compiler.sql.push_bind(number)),
        Some(Literal::Seconds(seconds)) => drop(compiler.sql.push_bind(seconds)),
        Some(Literal::Moment(_)) | None => push_moment(compiler.sql, wanted, compiler.when.now),
    }
}
