//! Functions.

use super::{MAX_CALLS, MAX_NESTING, ParseError, Parser, Within, error, head::Head};
use crate::{Call, Direction, Selector, Term};

const FUNCTIONS: &str =
    "the functions are related(SELECTOR, direction, depth), changed(SELECTOR) and finding(SELECTOR)";

impl Parser<'_> {
    /// A function, whose parenthesis stands here.
    pub(super) fn call(&mut self, head: &Head) -> Result<Term, ParseError> {
        let column = head.column;
        let Some(name @ ("related" | "changed" | "finding")) = head.name() else {
            return Err(error(
                self.cursor.column,
                format!("{FUNCTIONS}; a group needs a space before it, and text with a parenthesis quotes"),
            ));
        };
        self.calls += 1;
        if self.calls > MAX_CALLS {
            return Err(error(column, format!("more than {MAX_CALLS} functions within one another")));
        }
        let opening = self.cursor.column;
        let call = self.parenthesis(opening, |parser| {
            let selector = Selector { nodes: parser.alternatives(Within::Call)? };
            match name {
                "related" => parser.related(selector),
                "changed" => parser.alone(name).map(|()| Call::Changed(selector)),
                _ => parser.alone(name).map(|()| Call::Finding(selector)),
            }
        })?;
        self.calls -= 1;
        Ok(Term::Call { call, column })
    }

    /// Refuses a second argument.
    fn alone(&mut self, name: &str) -> Result<(), ParseError> {
        match self.cursor.peek() {
            Some(',') => Err(error(self.cursor.column, format!("`{name}` takes a selector only"))),
            _ => Ok(()),
        }
    }

    fn related(&mut self, selector: Selector) -> Result<Call, ParseError> {
        let mut direction = Direction::Both;
        let mut depth = 1;
        if self.cursor.eat(',') {
            let (column, word) = self.argument()?;
            direction = match word.as_str() {
                "in" => Direction::In,
                "out" => Direction::Out,
                "both" => Direction::Both,
                _ => {
                    return Err(error(
                        column,
                        format!(
                            "`{word}` is no direction; write in, out or both: `related(SELECTOR, out, 2)`"
                        ),
                    ));
                }
            };
        }
        if self.cursor.eat(',') {
            let (column, word) = self.argument()?;
            depth = word.parse().ok().filter(|depth| (1..=MAX_NESTING).contains(depth)).ok_or_else(|| {
                error(column, format!("`{word}` is no depth; write a number from 1 to {MAX_NESTING}"))
            })?;
        }
        Ok(Call::Related { selector, direction, depth })
    }

    /// A word between commas, and where it begins.
    fn argument(&mut self) -> Result<(usize, String), ParseError> {
        self.cursor.skip_space();
        let column = self.cursor.column;
        let mut word = String::new();
        while let Some(next) =
            self.cursor.peek().filter(|c| !c.is_whitespace() && !matches!(c, ',' | ')' | '('))
        {
            word.push(self.cursor.plain(next)?);
        }
        self.cursor.skip_space();
        Ok((column, word))
    }
}
