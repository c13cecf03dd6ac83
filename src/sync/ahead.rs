//! Pages of a long list asked for ahead, side by side, where the count says that they exist.
//!
//! They are taken in the order of the list. One whose seam does not match may only have been answered before the list
//! moved, so it is asked for again in order; what it showed is stored all the same, like that of every page asked for in
//! vain.

use futures_util::{StreamExt as _, future::LocalBoxFuture, stream::FuturesOrdered};

use super::{Session, Stopped, list::List, pages::Running, walk::Step};
use crate::api::error::ApiError;
use crate::model::{ledger::TotalTrust, record::Page};

/// What became of one page asked for ahead.
type Fetched = (u64, Result<Result<(Page, u32), ApiError>, Stopped>);

/// The pages under way.
#[derive(Default)]
struct Ahead<'a> {
    pages: FuturesOrdered<LocalBoxFuture<'a, Fetched>>,
    /// Where the next one would begin.
    next: u64,
}

/// Says whether a page that begins there is sure to hold more than the record that it shares with the one before.
const fn exists(offset: u64, total: u64) -> bool {
    offset.saturating_add(1) < total
}

impl Session<'_> {
    /// Reads all pages.
    pub(super) async fn pages(
        &self,
        list: &List,
        running: &mut Running,
    ) -> Result<Result<(), ApiError>, Stopped> {
        let mut ahead = Ahead::default();
        let read = self.to_the_end(list, running, &mut ahead).await;
        self.keep(list, running, &mut ahead).await?;
        self.store_waiting(list, running).await?;
        read
    }

    async fn to_the_end<'a>(
        &'a self,
        list: &'a List,
        running: &mut Running,
        ahead: &mut Ahead<'a>,
    ) -> Result<Result<(), ApiError>, Stopped> {
        let mut offset = 0;
        loop {
            let page = match ahead.pages.next().await {
                None => match self.fetch(list, running, offset, None).await? {
                    Ok(page) => page,
                    Err(error) => return Ok(Err(error)),
                },
                Some((at, fetched)) => match fetched? {
                    Ok((page, attempts)) => {
                        running.requests += u64::from(attempts);
                        if at != offset || !running.walk.follows(&page) {
                            self.store(list, running, at, page).await?;
                            self.keep(list, running, ahead).await?;
                            continue;
                        }
                        page
                    }
                    Err(error) => {
                        running.requests += u64::from(error.attempts());
                        return Ok(Err(error));
                    }
                },
            };
            let count = page.records.len() as u64;
            match self.take(list, running, offset, page).await? {
                Step::Ask(next) => offset = next,
                Step::End => return Ok(Ok(())),
            }
            self.ask_ahead(list, running, offset, count, ahead);
        }
    }

    /// Asks for as many pages as the count promises and the run's share allows; `offset` is where the next one begins, and
    /// `count` how many records the last one had.
    fn ask_ahead<'a>(
        &'a self,
        list: &'a List,
        running: &Running,
        offset: u64,
        count: u64,
        ahead: &mut Ahead<'a>,
    ) {
        let endpoint = self.endpoint(list).get();
        let (Some(total), TotalTrust::Trusted) = (running.walk.steady_total(), endpoint.trust)
        else {
            return;
        };
        // A share of one is the next page, which is asked for in order.
        if self.share() < 2 {
            return;
        }
        let limit = self.page_limit(list);
        // Only a full page tells where the others begin.
        if count < 2 || count < endpoint.longest_page.min(u64::from(limit)) {
            return;
        }
        if ahead.pages.is_empty() {
            ahead.next = offset;
        }
        let filter = running.filter;
        while ahead.pages.len() < self.share() && exists(ahead.next, total) {
            let at = ahead.next;
            ahead.pages.push_back(Box::pin(async move {
                (at, self.request(list, at, limit, filter).await)
            }));
            ahead.next = at + count - 1;
        }
    }

    /// Stores what the pages show that nobody waits for any more.
    async fn keep(
        &self,
        list: &List,
        running: &mut Running,
        ahead: &mut Ahead<'_>,
    ) -> Result<(), Stopped> {
        while let Some((at, fetched)) = ahead.pages.next().await {
            match fetched {
                Ok(Ok((page, attempts))) => {
                    running.requests += u64::from(attempts);
                    self.store(list, running, at, page).await?;
                }
                Ok(Err(error)) => {
                    running.requests += u64::from(error.attempts());
                    // Nobody waits for the page, but what it met has stopped everybody, and is the reason.
                    if error.is_unauthorized() {
                        self.halt(Stopped::Refused(Box::new(error)));
                    } else if error.origin_is_dead() {
                        self.halt(Stopped::DeadOrigin(Box::new(error)));
                    }
                }
                Err(_) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_exists_where_something_follows_the_shared_record() {
        let cases = [
            (0, 2, true),
            (0, 1, false),
            (998, 1000, true),
            (999, 1000, false),
        ];
        for (offset, total, expected) in cases {
            assert_eq!(exists(offset, total), expected, "{offset} of {total}");
        }
        assert!(!exists(u64::MAX, u64::MAX));
    }
}
