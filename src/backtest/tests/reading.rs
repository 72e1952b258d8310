use std::sync::Mutex;

use futures::{FutureExt as _, future::BoxFuture};
use serde_json::json;

use crate::{
    analysis::{COUNT_LABEL, Checks, FAILED, Failure, Query, WHOLE, of_pods},
    backtest::{
        asked::Reads,
        reading::{Hours, LONGEST, MOST_VALUES, Server},
    },
    manifest::fixture,
    router,
    source::{Series, Stretch},
};

const HOUR: i64 = 3_600_000;
const EVERY: i64 = 15_000;

/// A server with some pods, each with 10 requests a look of which one fails.
#[derive(Default)]
struct Scripted {
    pods: usize,
    /// It has room for so many values.
    room: usize,
    /// So many questions are not answered.
    silent: Mutex<u32>,
    asked: Mutex<Vec<Stretch>>,
    under_way: Mutex<(u32, u32)>,
}

impl Server for Scripted {
    fn past<'a>(
        &'a self,
        _: &'a Query,
        stretch: Stretch,
    ) -> BoxFuture<'a, Result<Option<Vec<Series>>, Failure>> {
        async move {
            self.asked.lock().unwrap().push(stretch);
            {
                let mut under_way = self.under_way.lock().unwrap();
                under_way.0 += 1;
                under_way.1 = under_way.1.max(under_way.0);
            }
            tokio::task::yield_now().await;
            self.under_way.lock().unwrap().0 -= 1;
            let silent = &mut *self.silent.lock().unwrap();
            if *silent > 0 {
                *silent -= 1;
                return Err("it is asleep".into());
            }
            let moments: Vec<i64> = (stretch.from..=stretch.to).step_by(stretch.step as usize).collect();
            if 2 * self.pods * moments.len() > self.room {
                return Ok(None);
            }
            let of = |pod: usize, kind: &str, value: f64| Series {
                labels: [("instance".to_owned(), pod.to_string()), (COUNT_LABEL.to_owned(), kind.to_owned())]
                    .into(),
                points: moments.iter().map(|at| (*at, value)).collect(),
            };
            Ok(Some((0..self.pods).flat_map(|pod| [of(pod, WHOLE, 10.0), of(pod, FAILED, 1.0)]).collect()))
        }
        .boxed()
    }
}

fn reads() -> Reads {
    let c = fixture::canary(&json!({}));
    let builtin = router::by_name("istio").unwrap().queries();
    let every = std::time::Duration::from_millis(EVERY as u64);
    let counts = of_pods(&c, &Checks::default(), builtin, every).unwrap();
    Reads { every: 15.0, step: 60.0, counts, values: vec![] }
}

async fn read(server: &Scripted, hours: i64) -> anyhow::Result<crate::backtest::Past> {
    let tell = |_: &str| {};
    Hours { server, tell: &tell, from: 0, to: hours * HOUR }
        .past(&reads(), std::slice::from_ref(&((HOUR / 2)..HOUR)))
        .await
}

#[tokio::test]
async fn every_look_is_read_once_by_questions_that_are_small_and_come_one_after_another() {
    let server = Scripted { pods: 40, room: usize::MAX, ..Scripted::default() };
    let past = read(&server, 6).await.unwrap();
    assert_eq!((past.pods.len(), past.looks()), (40, 6 * 240));
    assert!(past.pods.iter().flatten().all(|cell| *cell == Some((10, 1))), "a look is missing");
    assert_eq!(past.left_out.first(), Some(&(120..241)));
    let asked = server.asked.lock().unwrap();
    for stretch in asked.iter() {
        let moments = (stretch.to - stretch.from) / stretch.step + 1;
        assert!(stretch.to - stretch.from <= LONGEST && 80 * moments <= MOST_VALUES, "{stretch:?}");
    }
    assert!(asked.windows(2).all(|two| two[1].from == two[0].to + EVERY), "{asked:?}");
    assert!(asked.iter().all(|stretch| stretch.from % EVERY == 0), "servers move other times");
    assert_eq!(server.under_way.lock().unwrap().1, 1);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_asked_for_in_parts() {
    let server = Scripted { pods: 100, room: 900, ..Scripted::default() };
    let past = read(&server, 2).await.unwrap();
    assert!(past.pods.iter().flatten().all(|cell| *cell == Some((10, 1))));
    let beyond = Scripted { pods: 1000, room: 900, ..Scripted::default() };
    let error = read(&beyond, 2).await.unwrap_err().to_string();
    assert!(error.contains("answer for one moment is larger"), "{error}");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_asked_again_and_then_given_up() {
    let server = Scripted { pods: 2, room: usize::MAX, silent: Mutex::new(2), ..Scripted::default() };
    assert_eq!(read(&server, 1).await.unwrap().pods.len(), 2);
    let server = Scripted { pods: 2, room: usize::MAX, silent: Mutex::new(3), ..Scripted::default() };
    let error = format!("{:#}", read(&server, 1).await.unwrap_err());
    assert!(error.starts_with("read requests from http") && error.ends_with("it is asleep"), "{error}");
    assert_eq!(server.asked.lock().unwrap().len(), 3);
}
