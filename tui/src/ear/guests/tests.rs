//! Strangers at the door.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::pair::call;
use super::*;

/// For what takes milliseconds on a machine that may be busy.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn so_many_guests_and_the_longest_here_goes() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let door = Arc::new(Mutex::new(Door::new()));
    let (tell, mut told) = mpsc::channel(1);
    let mut guests = Guests::new(door.clone(), tell);
    let mut silent = Vec::new();
    for _ in 0..GUESTS {
        silent.push(TcpStream::connect(addr).await.unwrap());
        guests.welcome(listener.accept().await.unwrap().0);
    }
    let secret = at(&door).secret(Kind::Code).unwrap();
    let monitor = tokio::spawn(async move {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let sealed = call(&mut stream, Kind::Code, &secret).await.unwrap();
        let (reader, mut writer) = split(stream, sealed);
        writer.add(|out| ToDesk::Hello.put(out));
        writer.flush().await.unwrap();
        (reader, writer)
    });
    guests.welcome(listener.accept().await.unwrap().0);
    // The first has gone for it, and the second has not.
    let end = timeout(SOON, silent[0].read(&mut [0; 8])).await.unwrap();
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    assert!(matches!(
        timeout(SOON, told.recv()).await.unwrap(),
        Some(Guest::Proven(_))
    ));
    silent[1].write_all(b"PLEAR").await.unwrap();
    monitor.await.unwrap();
}
