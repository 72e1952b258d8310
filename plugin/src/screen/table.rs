//! Tables: each column is as wide as its widest cell. On a narrow terminal the elastic columns shrink.

use super::term::{Line, Sign, Term, Tone, shown};
use crate::text;

/// One cell.
pub(super) type Cell = (Tone, String);

/// A cell without a colour.
pub(super) fn cell(text: impl Into<String>) -> Cell {
    (Tone::Plain, text.into())
}

/// Number of cells between columns.
const GAP: usize = 2;
/// Minimum width of a shrunk column.
const NARROWEST: usize = 8;

/// A table.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
    /// Columns that may be cut, in this order.
    elastic: Vec<usize>,
}

impl Table {
    pub(super) fn new(header: &[&'static str], elastic: &[usize]) -> Self {
        Self { header: header.to_vec(), rows: vec![], elastic: elastic.to_vec() }
    }

    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    pub(super) fn lines(&self, term: &Term, header: bool) -> Vec<Line> {
        let widths = self.widths(term, header);
        let head = self.header.iter().map(|h| (Tone::Dim, (*h).to_owned())).collect();
        let head = header.then_some(head);
        let rows = head.iter().chain(&self.rows);
        rows.map(|cells| line(term, cells, &widths)).collect()
    }

    fn widths(&self, term: &Term, header: bool) -> Vec<usize> {
        let of_header = |i: usize| if header { self.header[i].len() } else { 0 };
        let of_rows = |i: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(i));
            cells.map(|(_, text)| text::width(&shown(term, text))).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..self.header.len()).map(|i| of_header(i).max(of_rows(i))).collect();
        let whole = |widths: &[usize]| widths.iter().map(|w| w + GAP).sum::<usize>().saturating_sub(GAP);
        for column in &self.elastic {
            let over = whole(&widths).saturating_sub(term.width);
            let least = widths[*column].min(NARROWEST.max(of_header(*column)));
            widths[*column] = widths[*column].saturating_sub(over).max(least);
        }
        widths
    }
}

fn line(term: &Term, cells: &[Cell], widths: &[usize]) -> Line {
    let (mut line, mut at) = (Line::default(), 0);
    for ((tone, text), width) in cells.iter().zip(widths) {
        line = line.to(at).and(*tone, text::cut(&shown(term, text), *width, Sign::Cut.of(term)));
        at += width + GAP;
    }
    line
}
