//! A copy of the cloud's data that lags behind.
//!
//! A list service of that size answers from several copies of its data, and nothing says that they agree: one that is
//! minutes behind serves a list that was right minutes ago, under the date of now. Which answers come from the copy is
//! fixed beforehand, by instance and number, so that the same story can be told twice.

use super::route::Route;
use super::world::World;

/// The world as it was, and which answers are still to come from it.
#[derive(Clone, Debug)]
pub(crate) struct LaggingCopy {
    world: World,
    instance: String,
    answers: u32,
}

impl LaggingCopy {
    /// Makes a copy that gives the next so many answers about the tasks of one instance.
    pub(crate) fn new(world: World, instance: &str, answers: u32) -> Self {
        Self {
            world,
            instance: instance.to_owned(),
            answers,
        }
    }

    /// Returns the world that a request to this path is answered from, if it is the copy's turn, and counts the answer.
    pub(super) fn turn(&mut self, path: &str) -> Option<&World> {
        let asked = Route::read(path);
        let mine = matches!(asked, Ok(Route::Tasks { instance, .. }) if instance == self.instance);
        if !mine {
            return None;
        }
        self.answers = self.answers.checked_sub(1)?;
        Some(&self.world)
    }
}
