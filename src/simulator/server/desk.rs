//! Who answers what: trouble and throttling come first, then the path says whether it is DCS, IAM or the metadata service.

use std::time::Instant;

use super::{Cloud, lock};
use crate::simulator::answer::Service;
use crate::simulator::gateway::{Caller, Clocks};
use crate::simulator::refusal::Refusal;
use crate::simulator::reply::Reply;
use crate::simulator::route::{Asked, Route};
use crate::simulator::world::World;
use crate::simulator::{iam, metadata, trouble};

impl Cloud {
    pub(super) fn reply(&self, world: &World, asked: &Asked<'_>) -> Reply {
        let manners = &self.options.manners;
        let route = Route::of(asked);
        // The metadata service is on the same machine as whoever asks it; nothing stands before it.
        let metadata = Route::read(asked.path).is_ok_and(Route::is_metadata);
        if !metadata {
            let failed = trouble::failure(manners.trouble, self.options.world.seed, asked);
            let failed =
                failed.or_else(|| lock(&self.throttle).refusal(manners, asked, Instant::now()));
            if let Some(reply) = failed {
                return reply;
            }
        }
        let (account, now) = (&self.account, world.now());
        match route {
            Err(refusal) => refusal.reply(asked.id),
            Ok(Route::Tokens) => traced(
                iam::tokens(account, asked, now, manners.token_life()),
                asked,
            ),
            Ok(Route::Projects) => {
                let caller = self.caller(world, asked);
                let refused = caller.as_ref().err().cloned();
                let reply = traced(iam::projects(account, asked, caller), asked);
                self.dated(reply, refused.as_ref(), world)
            }
            Ok(route @ (Route::MetadataToken | Route::SecurityKey)) => {
                metadata::answer(route, account, manners.metadata, asked, now)
            }
            Ok(Route::Instances { project }) => self.dcs(world, asked, |service, caller| {
                service.instances(asked, caller, project)
            }),
            Ok(Route::Tasks { project, instance }) => self.dcs(world, asked, |service, caller| {
                service.tasks(asked, caller, project, instance)
            }),
        }
    }

    /// Lets DCS answer somebody who is let in.
    fn dcs(
        &self,
        world: &World,
        asked: &Asked<'_>,
        answer: impl FnOnce(&Service<'_>, &Caller) -> Reply,
    ) -> Reply {
        let caller = match self.caller(world, asked) {
            Ok(caller) => caller,
            Err(refusal) => return self.dated(refusal.reply(asked.id), Some(&refusal), world),
        };
        let mut lagging = lock(&self.lagging);
        let copy = lagging.as_mut().and_then(|copy| copy.turn(asked.path));
        let service = Service {
            world: copy.unwrap_or(world),
            account: &self.account,
            manners: &self.options.manners,
            page_cap: self.options.page_cap,
        };
        answer(&service, &caller)
    }

    fn caller(&self, world: &World, asked: &Asked<'_>) -> Result<Caller, Refusal> {
        let now = world.now();
        let clocks = Clocks {
            world: now,
            signing: self.options.manners.signing_clock.read(now),
        };
        Caller::of(asked, &self.account, &mut lock(&self.locks), clocks)
    }

    /// Dates the refusal of a signature by the clock that judged it, as a gateway does that has but one clock: whoever
    /// looks for a wrong clock of their own compares with that.
    fn dated(&self, reply: Reply, refusal: Option<&Refusal>, world: &World) -> Reply {
        match refusal {
            Some(Refusal::Signature(_)) => Reply {
                date: Some(self.options.manners.signing_clock.read(world.now())),
                ..reply
            },
            _ => reply,
        }
    }
}

/// IAM numbers its answers under a name of its own as well.
fn traced(reply: Reply, asked: &Asked<'_>) -> Reply {
    reply.with("x-iam-trace-id", asked.id)
}
