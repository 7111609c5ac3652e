//! The table of docs/options.md against that of the crate: each option that gen_sctp does not have is in
//! both.

use sctp::option::OPTIONS;

/// Kept by the library, not by the kernel.
const OURS: &[&str] = &["sctp_recvrcvinfo"];
/// gen_sctp's own, which has a flag more.
const GREW: &[&str] = &["sctp_peer_addr_params"];

#[test]
fn every_option_that_is_added_is_documented() {
    let text = include_str!("../../../docs/options.md");
    let rows = text.lines().take_while(|line| !line.starts_with("\"since\""));
    let mut documented: Vec<&str> = rows
        .filter_map(|row| row.strip_prefix("| ")?.split(" | ").next())
        .flat_map(|cell| cell.split('`').filter(|name| name.starts_with("sctp_")))
        .filter(|name| !OURS.contains(name) && !GREW.contains(name))
        .collect();
    let mut added: Vec<&str> =
        OPTIONS.iter().filter(|option| option.added).map(|option| option.name).collect();
    documented.sort_unstable();
    added.sort_unstable();
    assert!(added.len() > 30);
    assert_eq!(documented, added);
}
