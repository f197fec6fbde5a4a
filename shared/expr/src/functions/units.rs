//! Quantities of Kubernetes, and sizes for people.

use super::{Function, Outcome, global, made, no_overload};
use crate::{
    budget::{Budget, Trouble},
    value::Val,
};

pub(super) const FUNCTIONS: &[Function] = &[
    global("k8s.cpuAsMillicores", 1, 1, |_, args| match args {
        [Val::Text(text)] => quantity(text).map(|amount| rounded(amount * 1_000.0)),
        [Val::Int(cores)] => Ok(Val::Int(cores.saturating_mul(1_000))),
        _ => Err(no_overload("k8s.cpuAsMillicores", args)),
    }),
    global("k8s.memoryAsBytes", 1, 1, |_, args| match args {
        [Val::Text(text)] => quantity(text).map(rounded),
        [Val::Int(bytes)] => Ok(Val::Int(*bytes)),
        _ => Err(no_overload("k8s.memoryAsBytes", args)),
    }),
    global("HumanSize", 1, 1, human_size),
];

/// A quantity as Kubernetes writes it: `500m`, `1.5Gi`, `150n`, `2k`. Binary units are read whatever their case.
fn quantity(text: &str) -> Result<f64, Trouble> {
    let wrong = || Trouble::no_value(format!("`{}` is no quantity", crate::fault::shortened(text)));
    let end = text.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c)).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end).ok_or_else(wrong)?;
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let factor = match unit {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" | "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        binary => match binary.to_ascii_lowercase().as_str() {
            "ki" => 1_024.0,
            "mi" => 1_048_576.0,
            "gi" => 1_073_741_824.0,
            "ti" => 1_099_511_627_776.0,
            "pi" => 1_125_899_906_842_624.0,
            "ei" => 1_152_921_504_606_846_976.0,
            exponent => {
                let exponent = exponent.strip_prefix('e').and_then(|digits| digits.parse::<i32>().ok());
                10_f64.powi(exponent.ok_or_else(wrong)?)
            }
        },
    };
    Ok(number * factor)
}

/// Cut to a whole number, with what floating point lost by writing in tenths given back.
fn rounded<'a>(amount: f64) -> Val<'a> {
    #[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
    Val::Int((amount + 1e-6).floor() as i64)
}

fn human_size<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let mut size = match args {
        [Val::Int(bytes)] => *bytes as f64,
        [Val::Double(bytes)] => *bytes,
        [Val::Text(text)] => quantity(text)?,
        _ => return Err(no_overload("HumanSize", args)),
    };
    let mut unit = "";
    for larger in ["K", "M", "G", "T", "P"] {
        if size.abs() < 1_024.0 {
            break;
        }
        size /= 1_024.0;
        unit = larger;
    }
    let digits = usize::from(!unit.is_empty());
    made(format!("{size:.digits$}{unit}"), budget)
}
