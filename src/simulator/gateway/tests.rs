use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use super::*;
use crate::model::time::HOUR;
use crate::simulator::account::tests::account;
use crate::simulator::signature::tests::sign;
use crate::simulator::world::START;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(START + millis).unwrap()
}

fn clocks(millis: i64) -> Clocks {
    Clocks {
        world: at(0),
        signing: at(millis),
    }
}

/// Asks for the list of instances of the account's project with these headers.
fn call(
    account: &Account,
    locks: &mut Locks,
    clocks: Clocks,
    headers: &[(&str, &str)],
) -> Result<Caller, Refusal> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    let asked = Asked {
        method: "GET",
        path: "/v2/p/instances",
        query: "",
        headers: &map,
        body: b"",
        number: 1,
        id: "1",
    };
    Caller::of(&asked, account, locks, clocks)
}

/// Signs that request at a moment with a key pair.
fn signed(keys: (&str, &str), moment: Timestamp) -> [(&'static str, String); 2] {
    sign(keys, "GET", "/v2/p/instances", moment)
}

fn by_key(
    account: &Account,
    locks: &mut Locks,
    keys: (&str, &str),
    millis: i64,
) -> Result<Caller, Refusal> {
    let [date, authorization] = signed(keys, at(millis));
    let headers = [(date.0, &*date.1), (authorization.0, &*authorization.1)];
    call(account, locks, clocks(millis), &headers)
}

#[test]
fn a_caller_is_whoever_proves_it() {
    let account = account();
    let mut locks = Locks::default();
    let main = Scope::Project(account.main_project().to_owned());
    let mut ask = |headers: &[(&str, &str)]| call(&account, &mut locks, clocks(0), headers);
    assert_eq!(
        ask(&[("x-auth-token", &account.token)]),
        Ok(Caller::Token(main))
    );
    assert_eq!(ask(&[]), Err(Refusal::NoToken));
    assert_eq!(ask(&[("x-auth-token", "")]), Err(Refusal::WrongToken));
    assert_eq!(
        ask(&[("authorization", "Basic x")]),
        Err(Refusal::Signature(Fault::Form))
    );
    let keys = (&*account.access_key, &*account.secret_key);
    let [date, authorization] = signed(keys, at(0));
    let own = [(date.0, &*date.1), (authorization.0, &*authorization.1)];
    assert_eq!(ask(&own), Ok(Caller::Key { project: None }));
    let named = [own[0], own[1], ("x-project-id", "some")];
    let project = Some("some".to_owned());
    assert_eq!(ask(&named), Ok(Caller::Key { project }));
    // A token counts before a signature.
    let both = [own[0], own[1], ("x-auth-token", "wrong")];
    assert_eq!(ask(&both), Err(Refusal::WrongToken));
    let unknown = by_key(&account, &mut locks, ("SIMUNKNOWN", keys.1), 0);
    let fault = Fault::UnknownKey("SIMUNKNOWN".to_owned());
    assert_eq!(unknown, Err(Refusal::Signature(fault)));
}

#[test]
fn temporary_keys_need_their_token_and_end_by_the_worlds_clock() {
    let account = account();
    let keys = account.temporary_keys(at(0));
    let pair = (&*keys.access_key, &*keys.secret_key);
    // The machine's clock is years away from the world's.
    let machine = at(3 * 365 * 24 * HOUR);
    let [date, authorization] = signed(pair, machine);
    let own = [(date.0, &*date.1), (authorization.0, &*authorization.1)];
    let ask = |world: i64, token: Option<&str>| {
        let mut headers = own.to_vec();
        headers.extend(token.map(|token| ("x-security-token", token)));
        let clocks = Clocks {
            world: at(world),
            signing: machine,
        };
        call(&account, &mut Locks::default(), clocks, &headers)
    };
    assert_eq!(
        ask(0, Some(&keys.security_token)),
        Ok(Caller::Key { project: None })
    );
    assert!(ask(HOUR - 1, Some(&keys.security_token)).is_ok());
    let gone = Fault::UnknownKey(keys.access_key.clone());
    assert_eq!(
        ask(HOUR, Some(&keys.security_token)),
        Err(Refusal::Signature(gone))
    );
    for wrong in [None, Some(""), Some("another")] {
        assert_eq!(ask(0, wrong), Err(Refusal::Signature(Fault::SecurityToken)));
    }
}

#[test]
fn the_sixth_failure_in_a_row_locks_a_key_for_five_minutes() {
    let account = account();
    let mut locks = Locks::default();
    let right = (&*account.access_key, &*account.secret_key);
    let wrong = (right.0, "another");
    let locked = Err(Refusal::Signature(Fault::Locked));
    let fail = |locks: &mut Locks, millis| {
        let refused = by_key(&account, locks, wrong, millis);
        assert!(
            matches!(refused, Err(Refusal::Signature(Fault::Mismatch(_)))),
            "{refused:?}"
        );
    };
    // A success in between starts the count anew.
    (0..5).for_each(|_| fail(&mut locks, 0));
    assert!(by_key(&account, &mut locks, right, 0).is_ok());
    (0..6).for_each(|_| fail(&mut locks, 1_000));
    assert_eq!(by_key(&account, &mut locks, right, 1_000), locked);
    assert_eq!(by_key(&account, &mut locks, wrong, 2_000), locked);
    assert_eq!(by_key(&account, &mut locks, right, 300_999), locked);
    assert!(by_key(&account, &mut locks, right, 301_000).is_ok());
    // Asking while it was locked prolongs nothing, and after a lock it takes six again.
    (0..6).for_each(|_| fail(&mut locks, 400_000));
    (0..5).for_each(|_| fail(&mut locks, 800_000));
    assert!(by_key(&account, &mut locks, right, 800_000).is_ok());
    // An unknown key is nobody's, and other keys are not locked with this one.
    (0..6).for_each(|_| fail(&mut locks, 900_000));
    let keys = account.temporary_keys(at(0));
    let other = by_key(
        &account,
        &mut locks,
        (&keys.access_key, &keys.secret_key),
        900_000,
    );
    assert_eq!(other, Err(Refusal::Signature(Fault::SecurityToken)));
}

#[test]
fn a_service_shows_a_project_to_whoever_is_there_for_it() {
    let account = account();
    let [main, audit, elsewhere] = [0, 1, 2].map(|number: usize| &*account.projects[number].id);
    let token = |id: &str| Caller::Token(Scope::Project(id.to_owned()));
    let key = |id: Option<&str>| Caller::Key {
        project: id.map(str::to_owned),
    };
    let stranger = "0".repeat(32);
    for (caller, project, expected) in [
        (token(main), main, Ok(())),
        (token(audit), audit, Ok(())),
        (token(audit), main, Err(Refusal::OtherProject)),
        (token(elsewhere), main, Err(Refusal::OtherRegion)),
        (token(main), elsewhere, Err(Refusal::OtherRegion)),
        (token(&stranger), main, Err(Refusal::OtherProject)),
        (token(&stranger), &stranger, Err(Refusal::OtherProject)),
        (
            Caller::Token(Scope::Domain),
            main,
            Err(Refusal::OtherProject),
        ),
        (key(None), main, Ok(())),
        (key(Some(main)), main, Ok(())),
        (key(Some(audit)), main, Err(Refusal::OtherProject)),
        (key(Some(audit)), audit, Ok(())),
        (key(None), audit, Err(Refusal::OtherProject)),
        (key(Some(&stranger)), &stranger, Err(Refusal::OtherProject)),
    ] {
        assert_eq!(
            caller.may_see(project, &account),
            expected,
            "{caller:?} {project}"
        );
    }
}
