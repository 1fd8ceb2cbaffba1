//! Stanzas that a test answers by hand (chapter 10 §14).

use std::fmt;

use wa_binary::Node;

use super::World;
use crate::faults::Direction;
use crate::trace::{Filter, Passed};

/// Answers a stanza, or leaves it to the server with `None`.
type Answering = Box<dyn FnMut(&Node) -> Option<Vec<Node>> + Send>;

/// Closures that are asked before the server is.
#[derive(Default)]
pub(crate) struct Interceptors {
    list: Vec<(u64, Filter, Answering)>,
    next: u64,
}

impl fmt::Debug for Interceptors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list.iter().map(|(_, filter, _)| filter)).finish()
    }
}

impl Interceptors {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What the first closure whose filter fits, and which wants to, says to an incoming stanza.
    pub(super) fn ask(&mut self, passed: &Passed) -> Option<Vec<Node>> {
        if passed.direction != Direction::In {
            return None;
        }
        self.list
            .iter_mut()
            .filter(|(_, filter, _)| filter.fits(passed))
            .find_map(|(_, _, answer)| answer(&passed.node))
    }
}

impl World {
    /// Asks `answer` about every incoming stanza that fits, before the server sees it. What it gives is written to the
    /// same connection, and the server does not see the stanza. The number is for [`World::stop_intercepting`].
    pub fn intercept(
        &mut self,
        filter: Filter,
        answer: impl FnMut(&Node) -> Option<Vec<Node>> + Send + 'static,
    ) -> u64 {
        let number = self.interceptors.next;
        self.interceptors.next += 1;
        self.interceptors.list.push((number, filter, Box::new(answer)));
        number
    }

    /// Takes a closure away again; `false` when there is none with this number.
    pub fn stop_intercepting(&mut self, number: u64) -> bool {
        let before = self.interceptors.list.len();
        self.interceptors.list.retain(|(own, _, _)| *own != number);
        before != self.interceptors.list.len()
    }
}
