use super::*;
use crate::model::record::{Observation, Rejected};
use crate::sync::proof::{self, Doubt, Evidence};

fn digest(text: &str) -> Digest {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&SHA256, text.as_bytes()).as_ref());
    digest
}

fn task_record(id: &str) -> Record {
    Record::Read(Observation {
        id: id.to_owned(),
        raw: format!(r#"{{"id":"{id}"}}"#),
        adopted: None,
        digest: digest(id),
        form: digest(id),
        created: None,
        updated: None,
    })
}

fn nameless(text: &str) -> Record {
    Record::Rejected(Rejected {
        id: None,
        raw: text.as_bytes().to_vec(),
        digest: digest(text),
        reason: "no usable id".to_owned(),
    })
}

fn tasks(names: &str) -> Vec<Record> {
    names
        .chars()
        .map(|name| {
            if name == '.' {
                nameless(".")
            } else {
                task_record(&name.to_string())
            }
        })
        .collect()
}

/// What `task_count` says: the offset asked for, the records shown, the whole list.
type Count = fn(usize, usize, usize) -> Option<u64>;

#[expect(
    clippy::unnecessary_wraps,
    reason = "one of several meanings of a count"
)]
fn whole(_: usize, _: usize, list: usize) -> Option<u64> {
    Some(list as u64)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "one of several meanings of a count"
)]
fn of_page(_: usize, shown: usize, _: usize) -> Option<u64> {
    Some(shown as u64)
}

fn none(_: usize, _: usize, _: usize) -> Option<u64> {
    None
}

/// A server: the list as it stands at each request (the last one stays), its page cap, and what its count says.
struct Server {
    lists: Vec<&'static str>,
    cap: usize,
    count: Count,
    ignores_offset: bool,
}

impl Server {
    fn new(lists: &[&'static str], cap: usize, count: Count) -> Self {
        Self {
            lists: lists.to_vec(),
            cap,
            count,
            ignores_offset: false,
        }
    }

    fn answer(&self, request: usize, offset: u64) -> Page {
        let list = tasks(self.lists[request.min(self.lists.len() - 1)]);
        let offset = if self.ignores_offset {
            0
        } else {
            usize::try_from(offset).unwrap()
        };
        let records: Vec<Record> = list.iter().skip(offset).take(self.cap).cloned().collect();
        Page {
            total: (self.count)(offset, records.len(), list.len()),
            records,
            ..Page::default()
        }
    }
}

/// Walks once; returns the offsets asked for, what was found, and what was learned.
fn walk(
    server: &Server,
    endpoint: Endpoint,
    first_request: usize,
) -> (Vec<u64>, Finding, Endpoint) {
    let mut walk = Walk::new(endpoint, 1000);
    let mut offsets = vec![0];
    loop {
        let offset = *offsets.last().unwrap();
        match walk.page(
            offset,
            &server.answer(first_request + offsets.len() - 1, offset),
        ) {
            Step::Ask(next) => offsets.push(next),
            Step::End => break,
        }
        assert!(offsets.len() < 5_000, "the walk does not end");
    }
    let endpoint = walk.endpoint();
    (offsets, walk.finding().unwrap(), endpoint)
}

fn trusted(longest_page: u64) -> Endpoint {
    Endpoint {
        trust: TotalTrust::Trusted,
        longest_page,
        page_limit: None,
    }
}

#[test]
fn a_short_page_with_a_trusted_total_is_the_end_and_costs_one_request() {
    let (offsets, found, endpoint) = walk(&Server::new(&["abcde"], 10, whole), trusted(10), 0);
    assert_eq!(offsets, [0]);
    assert_eq!((found.end, found.positions), (End::ShortPage, 5));
    assert_eq!(
        proof::judge(&found, endpoint.trust, None),
        Ok(Evidence::Total)
    );
}

#[test]
fn a_page_is_short_only_against_the_longest_page_ever_served() {
    let (offsets, found, endpoint) = walk(&Server::new(&["abcde"], 10, whole), trusted(5), 0);
    assert_eq!(offsets, [0, 4]);
    assert_eq!(found.end, End::OnlyShared);
    assert_eq!(
        proof::judge(&found, endpoint.trust, None),
        Ok(Evidence::Total)
    );
}

#[test]
fn pages_overlap_by_one_record_and_tile_the_list() {
    let (offsets, found, endpoint) = walk(
        &Server::new(&["abcdefghij"], 4, whole),
        Endpoint::default(),
        0,
    );
    assert_eq!(offsets, [0, 3, 6, 9]);
    assert_eq!(
        (found.end, found.positions, found.seams, found.repeats),
        (End::OnlyShared, 10, true, false)
    );
    assert_eq!(endpoint, trusted(4));
    assert_eq!(
        proof::judge(&found, endpoint.trust, None),
        Ok(Evidence::Total)
    );
}

#[test]
fn a_count_of_the_page_is_never_a_total() {
    let server = Server::new(&["abcdefghij"], 4, of_page);
    let (_, first, endpoint) = walk(&server, Endpoint::default(), 0);
    assert_eq!(
        (first.positions, endpoint.trust),
        (10, TotalTrust::Distrusted)
    );
    assert_eq!(
        proof::judge(&first, endpoint.trust, None),
        Err(Doubt::NeedsEqualWalk)
    );
    let (_, second, endpoint) = walk(&server, endpoint, 0);
    assert_eq!(
        proof::judge(&second, endpoint.trust, Some(&first)),
        Ok(Evidence::EqualWalks)
    );
}

#[test]
fn a_deletion_between_pages_shows_at_the_seam() {
    // `b` goes away after the first page, so `f` slides into the place of the shared record.
    let server = Server::new(&["abcdefghij", "acdefghij"], 4, whole);
    let (_, found, endpoint) = walk(&server, trusted(4), 0);
    assert!(!found.seams);
    assert_eq!(
        proof::judge(&found, endpoint.trust, None),
        Err(Doubt::ListMoved)
    );
}

#[test]
fn an_insertion_between_pages_shows_at_the_seam_and_loses_nothing() {
    let server = Server::new(&["abcdefghij", "Xabcdefghij"], 4, whole);
    let (_, found, endpoint) = walk(&server, trusted(4), 0);
    assert!(!found.seams && found.repeats);
    assert!(proof::judge(&found, endpoint.trust, None).is_err());
}

#[test]
fn a_deletion_that_an_addition_balances_shows_at_the_seam() {
    let server = Server::new(&["abcdefghij", "acdefghijX"], 4, whole);
    let (_, found, endpoint) = walk(&server, trusted(4), 0);
    assert_eq!(found.totals, Totals::Same(10));
    assert_eq!(
        proof::judge(&found, endpoint.trust, None),
        Err(Doubt::ListMoved)
    );
}

#[test]
fn an_unread_record_that_jumps_ahead_is_noticed() {
    // `h` is updated and moves to the top of a list that is ordered by update.
    let server = Server::new(&["abcdefghij", "habcdefgij"], 4, whole);
    let (_, found, endpoint) = walk(&server, trusted(4), 0);
    assert!(proof::judge(&found, endpoint.trust, None).is_err());
}

#[test]
fn a_server_that_ignores_the_offset_ends_the_walk_without_a_proof_unless_the_total_fits_twice() {
    let mut server = Server::new(&["abcdefghij"], 4, whole);
    server.ignores_offset = true;
    let (offsets, found, endpoint) = walk(&server, Endpoint::default(), 0);
    assert_eq!(
        (offsets.len(), found.end, found.positions),
        (2, End::NothingNew, 4)
    );
    let above = Doubt::CountAbove {
        total: 10,
        received: 4,
    };
    assert_eq!(proof::judge(&found, endpoint.trust, None), Err(above));
    server.cap = 10;
    let (_, found, endpoint) = walk(&server, trusted(10), 0);
    assert_eq!((found.end, found.positions), (End::NothingNew, 10));
    assert_eq!(
        proof::judge(&found, endpoint.trust, None),
        Err(Doubt::NeedsEqualWalk)
    );
    assert_eq!(
        proof::judge(&found, endpoint.trust, Some(&found)),
        Ok(Evidence::Total)
    );
}

#[test]
fn a_server_that_ignores_the_offset_ends_the_walk_also_with_nameless_records() {
    let mut server = Server::new(&["a.b"], 10, none);
    server.ignores_offset = true;
    let (offsets, found, _) = walk(&server, Endpoint::default(), 0);
    assert_eq!(
        (offsets.len(), found.end, found.positions),
        (2, End::NothingNew, 3)
    );
}

#[test]
fn nameless_records_are_positions_and_seams() {
    let (offsets, found, endpoint) =
        walk(&Server::new(&["a..b.c."], 3, whole), Endpoint::default(), 0);
    assert_eq!(offsets, [0, 2, 4, 6]);
    assert_eq!(
        (found.positions, found.seams, found.repeats),
        (7, true, false)
    );
    assert_eq!(
        proof::judge(&found, endpoint.trust, None),
        Ok(Evidence::Total)
    );
}

#[test]
fn a_repeat_inside_one_answer_counts_and_one_across_answers_proves_nothing() {
    let (_, within, endpoint) = walk(&Server::new(&["aabcde"], 10, whole), trusted(100), 0);
    assert_eq!((within.positions, within.repeats), (6, false));
    assert_eq!(
        proof::judge(&within, endpoint.trust, None),
        Ok(Evidence::Total)
    );
    let (_, across, endpoint) = walk(&Server::new(&["abcdea"], 4, whole), trusted(100), 0);
    assert!(across.repeats);
    assert_eq!(
        proof::judge(&across, endpoint.trust, None),
        Err(Doubt::CameTwice)
    );
    assert_eq!(
        proof::judge(&across, endpoint.trust, Some(&across)),
        Err(Doubt::CameTwice)
    );
}

#[test]
fn an_empty_list_is_believed_the_second_time() {
    for count in [whole as Count, none] {
        let (offsets, found, endpoint) =
            walk(&Server::new(&[""], 10, count), Endpoint::default(), 0);
        assert_eq!(
            (offsets.as_slice(), found.end),
            ([0, 0].as_slice(), End::Empty)
        );
        assert_eq!(
            proof::judge(&found, endpoint.trust, None),
            Ok(Evidence::Empty)
        );
    }
}

#[test]
fn an_empty_answer_that_its_count_contradicts_is_asked_again_and_is_no_end() {
    let lying: Count = |_, shown, list| Some((shown + list + 1) as u64);
    let (offsets, found, endpoint) = walk(&Server::new(&[""], 10, lying), Endpoint::default(), 0);
    assert_eq!(
        (offsets.as_slice(), found.end),
        ([0, 0].as_slice(), End::EmptyContradicted)
    );
    assert_eq!(
        proof::judge(&found, endpoint.trust, None),
        Err(Doubt::EmptyAnswer)
    );
}

#[test]
fn an_empty_answer_in_the_middle_is_asked_again_and_the_walk_goes_on() {
    let server = Server::new(&["abcdefgh", "", "abcdefgh"], 4, whole);
    let (offsets, found, endpoint) = walk(&server, trusted(4), 0);
    assert_eq!(offsets, [0, 3, 3, 6]);
    assert_eq!(found.positions, 8);
    // The empty answer's own count says that the list moved, so this walk does not prove anything.
    assert!(proof::judge(&found, endpoint.trust, None).is_err());
    let server = Server::new(&["abcdefgh", "", "", "abcdefgh"], 4, whole);
    let (_, found, _) = walk(&server, trusted(4), 0);
    assert_eq!(found.end, End::EmptyContradicted);
}

#[test]
fn pages_of_one_record_cannot_overlap_and_still_lose_nothing() {
    let (_, found, endpoint) = walk(&Server::new(&["abcde"], 1, of_page), Endpoint::default(), 0);
    assert_eq!(found.positions, 5);
    assert!(!found.seams);
    assert_eq!(
        proof::judge(&found, endpoint.trust, Some(&found)),
        Err(Doubt::ListMoved)
    );
    let (offsets, found, endpoint) =
        walk(&Server::new(&["a"], 10, of_page), Endpoint::default(), 0);
    assert_eq!(
        (offsets, found.end, found.seams),
        (vec![0, 0, 1], End::OnlyShared, true)
    );
    assert_eq!(
        proof::judge(&found, endpoint.trust, Some(&found)),
        Ok(Evidence::EqualWalks)
    );
}

#[test]
fn a_list_that_never_ends_is_left_after_a_bounded_number_of_pages() {
    let mut walk = Walk::new(Endpoint::default(), 1000);
    let (mut offset, mut pages) = (0, 0_u64);
    loop {
        pages += 1;
        let records = (offset..offset + 3)
            .map(|place| task_record(&place.to_string()))
            .collect();
        match walk.page(
            offset,
            &Page {
                records,
                ..Page::default()
            },
        ) {
            Step::Ask(next) => offset = next,
            Step::End => break,
        }
        assert!(pages < 5_000, "the walk does not end");
    }
    let found = walk.finding().unwrap();
    assert_eq!((found.end, pages), (End::PageBound, PAGES_BEYOND_PROMISE));
}

#[test]
fn a_capped_count_does_not_cut_the_list_off() {
    let capped: Count = |_, _, list| Some(list.min(8) as u64);
    let (_, found, endpoint) = walk(
        &Server::new(&["abcdefghijklmno"], 4, capped),
        Endpoint::default(),
        0,
    );
    assert_eq!(
        (found.positions, endpoint.trust),
        (15, TotalTrust::Distrusted)
    );
    assert_eq!(
        proof::judge(&found, endpoint.trust, None),
        Err(Doubt::NeedsEqualWalk)
    );
}

#[test]
fn a_smaller_limit_makes_a_smaller_page_a_full_one() {
    let mut walk = Walk::new(trusted(1000), 1000);
    walk.ask_for(4);
    let server = Server::new(&["abcdefgh"], 4, of_page);
    assert_eq!(walk.page(0, &server.answer(0, 0)), Step::Ask(3));
}
