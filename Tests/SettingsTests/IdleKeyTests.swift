import Settings
import Testing

@Suite("keys that would do nothing, names that IDNA refuses")
struct IdleKeyTests {
    private static let oauth =
        "[secrets]\nkey_file = \"/k\"\n[oauth.o]\nprovider = \"microsoft\"\nclient_id = \"x\"\nclient_secret_file = \"/s\"\n"

    static let faulty: [(String, [String])] = [
        (
            oauth + "flow = \"refresh_token\"\ndevice_url = \"https://l.example.com/d\"\n",
            ["postrider.conf:10: it counts with flow \"device_code\" only; remove it, or change the flow"]
        ),
        (
            oauth + "flow = \"refresh_token\"\ntenant = \"t\"\ntoken_url = \"https://l.example.com/t\"\n",
            ["postrider.conf:10: the URLs that are written here stand in place of it; remove it, or the URLs"]
        ),
        // The device URL is still that of the tenant.
        (oauth + "flow = \"device_code\"\ntenant = \"t\"\ntoken_url = \"https://l.example.com/t\"\n", []),
        (
            "[source.s]\naddress = \"192.0.2.1\"\n[route.r]\ntype = \"lmtp\"\nhost = \"unix:/run/l\"\nsource = \"s\"\n",
            ["postrider.conf:8: a UNIX socket is not connected to from an address; remove it"]
        ),
        (
            "[tls_policy.\"xn--a.example\"]\nlevel = \"may\"\n",
            ["postrider.conf:3: 'xn--a.example' is no domain; write [tls_policy.\"example.com\"]"]
        ),
        (
            "[tls_policy.\"example.com\"]\nlevel = \"secure\"\nmatch = [\".xn--a.example\"]\n",
            [
                "postrider.conf:5: match: '.xn--a.example' is no name that a certificate may be for; write \"nexthop\", \"hostname\", a host name, or \".example.com\" for every host below"
            ]
        ),
        ("[route.r]\ntype = \"submission\"\nhost = \"mx.xn--a.example\"\n", ["postrider.conf:5: host: 'mx.xn--a.example' is no host"]),
    ]

    @Test("each is refused with its place", arguments: faulty)
    func refused(text: String, expected: [String]) { #expect(faults(smallest + text) == expected) }
}
