//! Work for a thread that owns a connection. The runtime never blocks: callers await a oneshot.
//! Live work goes before bulk; of the bulk one piece goes with each group, so that an import neither stalls nor starves.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use crate::backend::Urgency;

pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    ready: Condvar,
}

struct State<J> {
    live: VecDeque<J>,
    bulk: VecDeque<J>,
    open: bool,
}

impl<J> Queue<J> {
    pub(super) fn new() -> Self {
        let state = State { live: VecDeque::new(), bulk: VecDeque::new(), open: true };
        Self { state: Mutex::new(state), ready: Condvar::new() }
    }

    /// Gives the job back when the queue is closed.
    pub(super) fn push(&self, job: J, urgency: Urgency) -> Result<(), J> {
        let mut state = self.state.lock();
        if !state.open {
            return Err(job);
        }
        match urgency {
            Urgency::Live => state.live.push_back(job),
            Urgency::Bulk => state.bulk.push_back(job),
        }
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// Waits for work; `None` when the queue is closed and empty.
    pub(super) fn wait(&self, most: usize) -> Option<Vec<J>> {
        let mut state = self.state.lock();
        loop {
            if let Some(jobs) = take(&mut state, most) {
                return Some(jobs);
            }
            if !state.open {
                return None;
            }
            self.ready.wait(&mut state);
        }
    }

    /// Takes what is there.
    pub(super) fn take(&self, most: usize) -> Option<Vec<J>> {
        take(&mut self.state.lock(), most)
    }

    /// What is queued is still done; nothing is taken any more.
    pub(super) fn close(&self) {
        self.state.lock().open = false;
        self.ready.notify_all();
    }

    /// For the thread that works: should it panic, the queue closes and everybody who waits hears of it.
    pub(super) fn end_with_me(&self) -> End<'_, J> {
        End(self)
    }
}

/// Closes and empties a queue when its thread ends.
pub(super) struct End<'q, J>(&'q Queue<J>);

impl<J> Drop for End<'_, J> {
    fn drop(&mut self) {
        self.0.close();
        if std::thread::panicking() {
            let mut state = self.0.state.lock();
            let abandoned = (std::mem::take(&mut state.live), std::mem::take(&mut state.bulk));
            drop(state);
            drop(abandoned);
        }
    }
}

fn take<J>(state: &mut State<J>, most: usize) -> Option<Vec<J>> {
    let live = state.live.len().min(most);
    let mut jobs: Vec<J> = state.live.drain(..live).collect();
    if jobs.len() < most {
        jobs.extend(state.bulk.pop_front());
    }
    (!jobs.is_empty()).then_some(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_goes_along_one_piece_at_a_time() {
        let queue = Queue::new();
        for n in 0..3 {
            queue.push(100 + n, Urgency::Bulk).unwrap();
        }
        for n in 0..4 {
            queue.push(n, Urgency::Live).unwrap();
        }
        assert_eq!(queue.take(8), Some(vec![0, 1, 2, 3, 100]), "live first, and one of the bulk");
        queue.push(4, Urgency::Live).unwrap();
        assert_eq!(queue.take(8), Some(vec![4, 101]));
        assert_eq!(queue.take(8), Some(vec![102]), "alone when nothing else waits");
        assert_eq!(queue.take(8), None);
    }

    #[test]
    fn a_closed_queue_finishes_what_it_has_and_takes_no_more() {
        let queue = Queue::new();
        queue.push(1, Urgency::Live).unwrap();
        queue.close();
        assert_eq!(queue.push(2, Urgency::Live), Err(2));
        assert_eq!(queue.wait(8), Some(vec![1]));
        assert_eq!(queue.wait(8), None);
    }

    #[test]
    fn those_who_wait_for_a_thread_that_panics_hear_of_it() {
        let queue = std::sync::Arc::new(Queue::new());
        let (reply, answer) = tokio::sync::oneshot::channel::<()>();
        let (second, second_answer) = tokio::sync::oneshot::channel::<()>();
        queue.push(reply, Urgency::Live).unwrap();
        queue.push(second, Urgency::Live).unwrap();
        let worker = std::sync::Arc::clone(&queue);
        let thread = std::thread::spawn(move || {
            let _end = worker.end_with_me();
            let _one = worker.wait(1);
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        assert!(answer.blocking_recv().is_err() && second_answer.blocking_recv().is_err());
        assert!(queue.push(tokio::sync::oneshot::channel().0, Urgency::Live).is_err());
    }
}
