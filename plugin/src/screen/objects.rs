//! The tree of objects.

use jiff::Timestamp;

use super::{
    table::{Table, cell},
    term::{Line, Sign, Term, Tone, of_health},
};
use crate::{
    text::age,
    view::{Health, ObjectView, Role},
};

/// Number of pods to show per owner, unhealthy ones first.
const PODS: usize = 4;

/// An object, or the number of pods that are left out.
enum Row<'v> {
    Object(&'v ObjectView),
    More { depth: usize, count: usize },
}

impl Row<'_> {
    fn depth(&self) -> usize {
        match self {
            Row::Object(object) => object.depth,
            Row::More { depth, .. } => *depth,
        }
    }
}

/// The tree. With `all`, no pods are left out.
pub(super) fn tree(objects: &[ObjectView], all: bool, now: Timestamp, term: &Term) -> Vec<Line> {
    let rows = folded(objects, all);
    let mut table = Table::new(&["NAME", "KIND", "STATUS", "AGE", "INFO"], &[4, 0]);
    for (i, row) in rows.iter().enumerate() {
        let branch = branch(&rows, i, term);
        match row {
            Row::Object(object) => {
                let (sign, tone) = of_health(object.health);
                let state = if object.state.is_empty() {
                    String::new()
                } else {
                    format!("{} {}", sign.of(term), object.state)
                };
                table.row(vec![
                    cell(format!("{branch}{}", object.name)),
                    cell(&object.kind),
                    (tone, state),
                    cell(age(object.created, now)),
                    cell(info(object)),
                ]);
            }
            Row::More { count, .. } => {
                table.row(vec![
                    (Tone::Dim, format!("{branch}{} {count} more (--all-pods)", Sign::Cut.of(term))),
                    cell("Pod"),
                    (Tone::Good, Sign::Good.of(term).to_owned()),
                    cell(""),
                    cell(""),
                ]);
            }
        }
    }
    table.lines(term, true)
}

fn info(object: &ObjectView) -> String {
    let role = match (object.depth, object.role) {
        (0, Role::Canary) => "canary",
        (0, Role::Primary) => "primary",
        (0, Role::Route) => "route",
        _ => "",
    };
    let both = [role, object.info.as_str()];
    both.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Shows only a few of many pods of one owner. Healthy ones are left out first.
fn folded(objects: &[ObjectView], all: bool) -> Vec<Row<'_>> {
    let (mut rows, mut i) = (Vec::new(), 0);
    while i < objects.len() {
        let here = &objects[i];
        if here.kind != "Pod" {
            rows.push(Row::Object(here));
            i += 1;
            continue;
        }
        let of_owner = objects[i..].iter().take_while(|o| o.kind == "Pod" && o.depth == here.depth);
        let mut pods: Vec<_> = of_owner.collect();
        i += pods.len();
        pods.sort_by_key(|pod| match pod.health {
            Health::Bad => 0,
            Health::Busy => 1,
            Health::Idle => 2,
            Health::Good => 3,
        });
        let unwell = pods.iter().filter(|pod| pod.health != Health::Good).count();
        let most = if all || pods.len() == PODS + 1 { pods.len() } else { PODS.max(unwell) };
        let count = pods.len().saturating_sub(most);
        rows.extend(pods.into_iter().take(most).map(Row::Object));
        if count > 0 {
            rows.push(Row::More { depth: here.depth, count });
        }
    }
    rows
}

fn branch(rows: &[Row<'_>], at: usize, term: &Term) -> String {
    let depth = rows[at].depth();
    // whether another object of this depth follows in the same branch
    let goes_on = |depth: usize| {
        let later = rows[at + 1..].iter().map(Row::depth);
        later.take_while(|d| *d >= depth).any(|d| d == depth)
    };
    let mut text = String::new();
    for above in 1..depth {
        text.push_str(if goes_on(above) { Sign::Trunk.of(term) } else { "   " });
    }
    if depth > 0 {
        text.push_str(if goes_on(depth) { Sign::Branch.of(term) } else { Sign::LastBranch.of(term) });
    }
    text
}
