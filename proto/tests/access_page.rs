//! `ACCESS.md` shows what the contracts say.

const GENERATED: &str = include_str!(concat!(env!("OUT_DIR"), "/ACCESS.md"));

#[test]
fn the_access_page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ACCESS.md");
    if std::env::var_os("UPDATE_ACCESS_PAGE").is_some() {
        std::fs::write(path, GENERATED).expect("proto/ACCESS.md is writable");
    }
    let page = std::fs::read_to_string(path).expect("proto/ACCESS.md exists");
    assert!(
        page == GENERATED,
        "proto/ACCESS.md is out of date: run UPDATE_ACCESS_PAGE=1 cargo test -p proto"
    );
}
