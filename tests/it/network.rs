use crate::support::env::Program;
use crate::support::fake_api::{FakeApi, list};
use crate::support::tasks;

#[test]
fn smoke() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(3)));
    program.recovers(&api, &tasks(3));
}
