//! An object in the cache: its text, and, while it is in use, its decoded form.
//!
//! It is text because a decoded object takes ten times the memory. Recently used objects stay decoded, up to a limit,
//! so that the passes over an active Canary share them. Nothing here is called while the cache is locked.

use std::{
    any::Any,
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::Value;

use super::work;

/// Objects with this many bytes of text in total stay decoded.
const DECODED: usize = 2 << 20;

/// An object. Its readers share it.
pub(crate) struct Stored {
    text: Box<str>,
    decoded: Mutex<Option<Decoded>>,
    /// It was read since the last check.
    used: AtomicBool,
}

#[derive(Clone)]
struct Decoded {
    object: Arc<Value>,
    /// A value derived from it.
    typed: Option<Arc<dyn Any + Send + Sync>>,
}

impl Stored {
    pub(super) fn new(object: &Value) -> Arc<Self> {
        let text = object.to_string().into();
        Arc::new(Self { text, decoded: Mutex::default(), used: AtomicBool::new(false) })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Decoded>> {
        self.decoded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The decoded objects, in order of decoding.
#[derive(Debug, Default)]
pub(super) struct Warm(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    objects: VecDeque<(Weak<Stored>, usize)>,
    bytes: usize,
}

impl Warm {
    /// Its content, decoded at most once while it is in use.
    pub(super) fn object(&self, stored: &Arc<Stored>) -> Option<Arc<Value>> {
        self.decoded(stored).map(|decoded| decoded.object)
    }

    /// The result of `decode` for its content, computed at most once while it is in use. An object is always used with
    /// the same type.
    pub(super) fn typed<T: Any + Send + Sync>(
        &self,
        stored: &Arc<Stored>,
        decode: impl FnOnce(&Value) -> T,
    ) -> Option<Arc<T>> {
        let decoded = self.decoded(stored)?;
        if let Some(typed) = decoded.typed.and_then(|typed| typed.downcast().ok()) {
            return Some(typed);
        }
        work::typed();
        let typed = Arc::new(decode(&decoded.object));
        if let Some(decoded) = &mut *stored.lock() {
            decoded.typed = Some(typed.clone());
        }
        Some(typed)
    }

    /// It stays decoded for now, in this form.
    pub(super) fn keep(&self, stored: &Arc<Stored>, object: Arc<Value>) {
        if stored.lock().replace(Decoded { object, typed: None }).is_some() {
            return;
        }
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.objects.push_back((Arc::downgrade(stored), stored.text.len()));
        queue.bytes += stored.text.len();
        let mut unused = Vec::new();
        while queue.bytes > DECODED {
            let Some((first, bytes)) = queue.objects.pop_front() else { break };
            match first.upgrade() {
                Some(stored) if stored.used.swap(false, Ordering::Relaxed) => {
                    queue.objects.push_back((first, bytes));
                }
                object => {
                    queue.bytes -= bytes;
                    unused.extend(object.and_then(|stored| stored.lock().take()));
                }
            }
        }
        drop(queue);
        // freeing an object takes longer than finding it
        drop(unused);
    }

    /// Drops all decoded objects.
    #[cfg(test)]
    pub(super) fn clear(&self) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (stored, _) in std::mem::take(&mut *queue).objects {
            stored.upgrade().and_then(|stored| stored.lock().take());
        }
    }

    fn decoded(&self, stored: &Arc<Stored>) -> Option<Decoded> {
        stored.used.store(true, Ordering::Relaxed);
        if let Some(decoded) = stored.lock().clone() {
            return Some(decoded);
        }
        work::parsed(stored.text.len());
        // it decodes: the text was made from an object
        let object: Arc<Value> = Arc::new(serde_json::from_str(&stored.text).ok()?);
        self.keep(stored, object.clone());
        Some(Decoded { object, typed: None })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(size: usize) -> Value {
        json!({"data": "x".repeat(size)})
    }

    #[test]
    fn what_is_in_use_is_decoded_once_and_the_rest_is_let_go() {
        let warm = Warm::default();
        let keep = |stored: &Arc<Stored>| warm.keep(stored, Arc::new(object(1000)));
        let stored = Stored::new(&object(1000));
        keep(&stored);
        let (first, work) = work::of(|| warm.object(&stored).unwrap());
        assert_eq!(work.parsed, 0, "it came decoded");
        let others: Vec<_> = (0..3000).map(|_| Stored::new(&object(1000))).collect();
        others[..1500].iter().for_each(keep);
        assert!(Arc::ptr_eq(&first, &warm.object(&stored).unwrap()));
        for other in &others[1500..] {
            keep(other);
            warm.object(&stored).unwrap();
        }
        assert!(Arc::ptr_eq(&first, &warm.object(&stored).unwrap()), "it was in use all the time");
        let decoded = others.iter().filter(|other| other.lock().is_some()).count();
        assert!((1500..DECODED / 1000).contains(&decoded), "{decoded}");
        assert!(others[0].lock().is_none());
        let (again, work) = work::of(|| [warm.object(&others[0]), warm.object(&others[0])]);
        assert_eq!((work.parsed, again[0].as_deref()), (1, Some(&object(1000))));
    }

    #[test]
    fn what_is_made_of_an_object_is_made_once() {
        let (warm, stored) = (Warm::default(), Stored::new(&object(3)));
        let length = |object: &Value| object["data"].as_str().map_or(0, str::len);
        assert_eq!(warm.typed(&stored, length).as_deref(), Some(&3));
        assert_eq!(warm.typed(&stored, |_| 7_usize).as_deref(), Some(&3));
        *stored.lock() = None;
        assert_eq!(warm.typed(&stored, length).as_deref(), Some(&3));
    }
}
