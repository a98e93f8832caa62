//! A database that fails is not trusted again: nobody is told "accepted", and the server ends with the error.

use crate::support::{Centre, Fleet, body, database};

#[test]
fn the_server_ends_when_the_store_does() {
    let mut centre = Centre::new();
    let reports = Fleet::new(1).reports(2);
    assert_eq!(centre.upload(&body(&reports[..1])).status, 202);
    database(centre.dir.path()).execute("DROP TABLE journal", []).expect("a broken database");
    let answer = centre.upload(&body(&reports[1..]));
    assert_eq!((answer.status, answer.problem(), answer.counts()), (503, "store-failed", [0; 5]));
    assert!(answer.header("retry-after").parse::<u32>().is_ok());
    let error = centre.end_by_itself().expect_err("a failed store");
    assert!(error.to_string().contains("the database refused"), "{error}");
    assert_eq!(centre.count("SELECT sum(reports) FROM report_count"), 1);
}
