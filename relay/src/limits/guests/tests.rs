//! A guest's time, and who is none.

use super::*;
use http::Response;

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

fn answer(status: u16) -> Answer {
    let mut answer = Response::new(crate::respond::whole(Vec::new()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

fn is_last(answer: &Answer) -> bool {
    answer
        .headers()
        .get(CONNECTION)
        .is_some_and(|value| value == "close")
}

#[tokio::test]
async fn a_guest_has_its_time_and_who_has_passed_has_all() {
    let metrics = Arc::<Metrics>::default();
    let time = Duration::from_millis(20);
    let guests = Guests::patient(metrics.clone(), time);
    let began = Instant::now();
    let (visit, displaced) = guests.enter(began, HOME, true);
    let over = visit.over(displaced).await;
    let Over::Late(place) = over else {
        panic!("{over:?}");
    };
    assert!(began.elapsed() >= time);
    assert_eq!(metrics.connections_late.get(), 1);
    let (known, displaced) = guests.enter(Instant::now(), HOME, true);
    known.passed();
    let over = tokio::time::timeout(time * 10, known.over(displaced)).await;
    assert!(over.is_err(), "it stays");
    // Its last answer may take a while, but not where its place is needed.
    assert_eq!(guests.present(), 1);
    assert!(guests.make_room());
    place.gone().await;
    drop(visit);
    assert_eq!(guests.present(), 0);
}

#[tokio::test]
async fn who_is_displaced_hears_of_it() {
    let metrics = Arc::<Metrics>::default();
    let guests = Guests::new(metrics.clone());
    assert!(!guests.make_room(), "nobody is there");
    let (visit, displaced) = guests.enter(Instant::now(), HOME, true);
    assert!(guests.make_room());
    let over = visit.over(displaced).await;
    assert!(matches!(over, Over::Displaced), "{over:?}");
    assert!(!visit.ends_abruptly(false) && visit.ends_abruptly(true));
    visit.cut();
    assert!(visit.ends_abruptly(false));
    visit.passed();
    assert!(!visit.ends_abruptly(true), "who is known is waited for");
    assert_eq!(metrics.connections_displaced.get(), 1);
}

#[tokio::test]
async fn who_is_hung_up_on_hears_of_it_whoever_it_is() {
    let guests = Guests::new(Arc::default());
    for abruptly in [false, true] {
        let (visit, _displaced) = guests.enter(Instant::now(), HOME, true);
        visit.passed();
        // Also where that is said before anybody waits for it.
        visit.hang_up(abruptly);
        visit.hung_up().await;
        assert_eq!(visit.ends_abruptly(true), abruptly);
    }
}

#[tokio::test]
async fn the_last_answer_of_a_guest_says_so() {
    let guests = Guests::new(Arc::default());
    let (visit, _displaced) = guests.enter(Instant::now(), HOME, true);
    for n in 1..=GUEST_REQUESTS {
        let mut answer = answer(200);
        visit.answered(&mut answer);
        assert_eq!(is_last(&answer), n == GUEST_REQUESTS, "{n}");
    }
    let (known, _displaced) = guests.enter(Instant::now(), HOME, true);
    known.passed();
    let (socket, _displaced) = guests.enter(Instant::now(), HOME, true);
    socket.answered(&mut answer(101));
    assert_eq!(guests.present(), 1, "a socket is none");
    for _ in 0..=GUEST_REQUESTS {
        let mut answer = answer(200);
        known.answered(&mut answer);
        assert!(!is_last(&answer));
    }
}
