use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use futures::future::{FutureExt as _, LocalBoxFuture};
use tokio_util::sync::CancellationToken;

use super::*;

const WIDTH: Width = Width { permits: 6, reserve: 2, share: 3 };

/// Waiting tasks and tasks with a permit, without a runtime: time passes only when a test says so.
struct Bed {
    lane: Lane,
    begun: Instant,
    waiting: Vec<(String, LocalBoxFuture<'static, Permit>)>,
    inside: VecDeque<(String, Permit)>,
}

impl Bed {
    fn new(width: Width) -> Self {
        Self { lane: Lane::new(width), begun: Instant::now(), waiting: vec![], inside: VecDeque::new() }
    }

    /// `name` begins with its namespace and a slash.
    fn enter(&mut self, name: &str, class: Class, due: u64) {
        let (lane, due) = (self.lane.clone(), self.begun + Duration::from_secs(due));
        let namespace = name.split_once('/').unwrap().0.to_owned();
        let enter = async move { lane.enter(&namespace, Rank { class, due }).await };
        self.waiting.push((name.to_owned(), enter.boxed_local()));
        self.poll();
    }

    /// The tasks that have got a permit since the last call, in order.
    fn poll(&mut self) -> Vec<String> {
        let mut entered = Vec::new();
        loop {
            let ready = self.waiting.iter_mut().position(|(name, wait)| {
                let permit = wait.now_or_never();
                let is = permit.is_some();
                self.inside.extend(permit.map(|permit| (name.clone(), permit)));
                is
            });
            let Some(at) = ready else { return entered };
            entered.push(self.waiting.remove(at).0);
        }
    }

    /// Releases the oldest permit; returns the tasks that get one.
    fn leave(&mut self) -> Vec<String> {
        drop(self.inside.pop_front());
        self.poll()
    }

    fn of(&self, namespace: &str) -> usize {
        self.inside.iter().filter(|(name, _)| name.starts_with(namespace)).count()
    }
}

#[test]
fn those_that_go_back_come_first_then_what_is_due_by_lateness_then_the_rest() {
    let mut bed = Bed::new(Width { permits: 1, reserve: 0, share: 1 });
    bed.enter("a/first", Class::Other, 0);
    for (name, class, due) in [
        ("a/at-rest", Class::Other, 2),
        ("b/late", Class::Due, 4),
        ("c/later", Class::Due, 3),
        ("c/goes-back", Class::Pressing, 6),
        ("b/went-back-before", Class::Pressing, 5),
    ] {
        bed.enter(name, class, due);
    }
    let order: Vec<String> = (0..5).flat_map(|_| bed.leave()).collect();
    assert_eq!(order, ["b/went-back-before", "c/goes-back", "c/later", "b/late", "a/at-rest"]);
}

#[test]
fn a_rollback_has_permits_of_its_own() {
    let mut bed = Bed::new(WIDTH);
    for namespace in ["a", "b", "c"] {
        (0..9).for_each(|n| bed.enter(&format!("{namespace}/{n}"), Class::Due, n));
    }
    assert_eq!((bed.inside.len(), bed.lane.waiting()), (4, 23), "two are kept");
    bed.enter("a/bad", Class::Pressing, 99);
    bed.enter("d/bad", Class::Pressing, 99);
    assert_eq!(bed.inside.len(), 6, "though a has had its share");
    bed.enter("d/worse", Class::Pressing, 99);
    assert_eq!(bed.inside.len(), 6);
    assert_eq!(bed.leave(), ["d/worse"]);
}

#[test]
fn a_namespace_whose_servers_do_not_answer_holds_up_no_other() {
    let mut bed = Bed::new(WIDTH);
    (0..500).for_each(|n| bed.enter(&format!("tarpit/{n}"), Class::Due, 0));
    assert_eq!(bed.inside.len(), WIDTH.share);
    bed.enter("b/1", Class::Other, 99);
    assert_eq!(bed.of("b/"), 1, "at once, though all others are later");
    bed.enter("b/2", Class::Due, 99);
    assert_eq!((bed.of("b/"), bed.lane.waiting()), (1, 498));
}

/// With the operator's widths.
#[test]
fn f16_a_namespace_with_hung_servers_delays_no_check_of_others_and_no_rollback() {
    let (mut ask, mut write) = (Bed::new(ASK), Bed::new(WRITE));
    for n in 0..2000 {
        ask.enter(&format!("hung/{n}"), Class::Due, 0);
        write.enter(&format!("hung/{n}"), Class::Due, 0);
    }
    ask.enter("quiet/check-that-fails", Class::Due, 99);
    write.enter("quiet/goes-back", Class::Pressing, 99);
    assert_eq!((ask.of("quiet/"), write.of("quiet/")), (1, 1), "at once");
    // its own Canaries are rolled back as soon as others', even if its servers hang
    write.enter("hung/goes-back", Class::Pressing, 99);
    assert_eq!(write.of("hung/goes-back"), 1);
}

#[test]
fn everyone_gets_a_turn() {
    for (patient, pressing) in [(Class::Other, Class::Due), (Class::Due, Class::Pressing)] {
        let mut bed = Bed::new(Width { permits: 1, reserve: 0, share: 1 });
        bed.enter("a/first", Class::Due, 0);
        bed.enter("a/patient", patient, 0);
        bed.enter("b/0", pressing, 0);
        // another one is due each second, and each takes one permit
        let entered = (1..200).find(|second| {
            bed.enter(&format!("b/{second}"), pressing, *second);
            bed.leave().contains(&"a/patient".to_owned())
        });
        assert!(entered.is_some_and(|second| second < 70), "{patient:?}: {entered:?}");
    }
}

#[test]
fn who_stops_waiting_takes_no_permit() {
    let mut bed = Bed::new(Width { permits: 1, reserve: 0, share: 1 });
    for (name, class) in
        [("a/1", Class::Due), ("a/2", Class::Due), ("a/3", Class::Pressing), ("b/4", Class::Due)]
    {
        bed.enter(name, class, 0);
    }
    bed.waiting.retain(|(name, _)| name == "b/4");
    assert_eq!(bed.lane.waiting(), 1);
    // the permit is given before the wait ends
    drop(bed.inside.pop_front());
    bed.waiting.clear();
    bed.enter("c/5", Class::Other, 0);
    assert_eq!(bed.of("c/"), 1);
    bed.inside.clear();
    let queue = bed.lane.lock();
    assert!(queue.lines.is_empty() && queue.heads.is_empty() && queue.free == 1);
}

#[tokio::test]
async fn at_the_end_those_who_wait_go_without() {
    let lane = Lane::new(Width { permits: 1, reserve: 0, share: 1 });
    let rank = Rank { class: Class::Due, due: Instant::now() };
    let held = lane.enter("a", rank).await;
    let stop = CancellationToken::new();
    let (waiting, ended) = (lane.clone(), stop.clone());
    let wait =
        tokio::spawn(async move { ended.run_until_cancelled(waiting.enter("a", rank)).await.is_some() });
    tokio::task::yield_now().await;
    assert_eq!(lane.waiting(), 1);
    stop.cancel();
    assert!(!wait.await.unwrap());
    assert_eq!(lane.waiting(), 0);
    drop(held);
    drop(lane.enter("b", rank).await);
}

/// In any order of entering, leaving and giving up.
#[test]
fn no_permit_is_lost_or_given_twice() {
    let mut seed = 1_u64;
    let mut any = move |most: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % most
    };
    let most = Rc::new(RefCell::new(0));
    for _ in 0..30 {
        let mut bed = Bed::new(WIDTH);
        for at in 0..300 {
            match any(5) {
                0..=2 => {
                    let class = [Class::Pressing, Class::Due, Class::Other][any(3)];
                    bed.enter(&format!("{}/{at}", ["a", "b", "c"][any(3)]), class, any(300) as u64);
                }
                3 if !bed.waiting.is_empty() => {
                    let at = any(bed.waiting.len());
                    drop(bed.waiting.remove(at));
                    bed.poll();
                }
                _ => drop(bed.leave()),
            }
            let queue = bed.lane.lock();
            assert_eq!(queue.free + bed.inside.len(), WIDTH.permits);
            assert!(queue.pressing.is_empty() || queue.free == 0, "what is pressing waits for nothing else");
            let room = queue.free > WIDTH.reserve;
            assert!(queue.heads.is_empty() || !room, "a permit lies idle");
            most.replace_with(|most| (*most).max(bed.inside.len()));
        }
        bed.waiting.clear();
        bed.inside.clear();
        assert!(bed.lane.lock().lines.is_empty());
    }
    assert_eq!(*most.borrow(), WIDTH.permits);
}
