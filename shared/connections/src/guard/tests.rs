use crate::Guard;

fn refused(address: &str, guard: Guard) -> bool {
    guard.refuses(address.parse().unwrap()).is_some()
}

#[test]
fn metadata_link_local_and_addresses_of_no_host_are_refused_in_every_form() {
    for address in [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "169.254.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "febf::1",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "ff02::1",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:1:2:3:4:5601:5601",
        "2001:db8::5efe:a9fe:a9fe",
        "2001:db8::200:5efe:a9fe:a9fe",
        "::ffff:0.0.0.0",
        "::ffff:224.0.0.1",
    ] {
        assert!(refused(address, Guard { loopback: true }), "{address}");
        assert!(refused(address, Guard::default()), "{address}");
    }
}

#[test]
fn this_machine_is_called_only_where_it_is_allowed() {
    for address in
        ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::"]
    {
        assert!(refused(address, Guard::default()), "{address}");
        assert!(!refused(address, Guard { loopback: true }), "{address}");
    }
}

#[test]
fn public_and_private_addresses_are_called() {
    for address in [
        "192.0.2.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "2001:db8::1",
        "fd12:3456::1",
        "::ffff:10.0.0.1",
        "64:ff9b::192.0.2.1",
        "2002:c000:201::1",
    ] {
        assert!(!refused(address, Guard::default()), "{address}");
    }
}
