import Foundation
import Settings
import Testing

@Suite("faults of a conf")
struct FaultTests {
    static let table: [(String, [String])] = [
        ("", ["postrider.conf:1: 'myhostname' is missing in [main]; add myhostname = a host name"]),
        (
            smallest + "\n[route.office]\ntype = \"submission\"\nhots = \"mail.example.com\"\n",
            [
                "postrider.conf:4: a route of type submission needs 'host'; add host = \"...\"",
                "postrider.conf:6: unknown key 'hots' in [route.office]; did you mean 'host'?",
            ]
        ),
        (
            smallest + "[guardrail.mine]\nwindow = \"36h\"\n[guardrail.bounce]\nthreshold = 5\nscope = [\"planet\"]\n",
            [
                "postrider.conf:3: a guardrail that is not built in needs 'metric'; add metric = \"bounce\", or another rate",
                "postrider.conf:3: a guardrail that is not built in needs 'threshold'; add threshold = 0.05, or another share",
                "postrider.conf:4: the window must be whole days; write it as in \"7d\"",
                "postrider.conf:6: threshold: 5.0 is outside the bounds; write a number from 0.0 to 1.0",
                "postrider.conf:7: scope: unknown value 'planet'; write \"identity\" or \"sequence\" or \"instance\"",
            ]
        ),
        (smallest + "[listner.smtp]\nlisten = []\n", ["postrider.conf:3: unknown section [listner]; did you mean [listener.smtp]?"]),
        (smallest + "[listener.smpt]\n", ["postrider.conf:3: unknown section [listener.smpt]; did you mean [listener.smtp]?"]),
        ("resolvers = []\n" + smallest, ["postrider.conf:1: unknown key 'resolvers' before the first section; it belongs in [dns]"]),
        (smallest + "[route]\nhost = \"x\"\n", ["postrider.conf:4: [route] holds sections, not keys; write [route.NAME]"]),
        ("queue = 1\n" + smallest, ["postrider.conf:1: 'queue' is a section, not a key; write [queue]"]),
        (
            smallest + "timezone = \"Europe/Berln\"\nmessage_size_limit = 10\n",
            [
                "postrider.conf:3: timezone: unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?",
                "postrider.conf:4: message_size_limit: 10 has no unit; write a size such as \"10M\" (K, M, G)",
            ]
        ),
        (
            smallest + "[queue]\nretry_schedule = [\n  \"5m\",\n  \"soon\",\n  10,\n]\non_uncertain = \"hodl\"\nconnect_timeout = \"2h\"\n",
            [
                "postrider.conf:6: retry_schedule: 'soon' is no duration; write it as \"90s\", \"5m\", \"1h30m\" or \"2d\"",
                "postrider.conf:7: retry_schedule: 10 has no unit; write a unit, as in \"10s\" or \"10m\"",
                "postrider.conf:9: on_uncertain: unknown value 'hodl'; did you mean 'hold'?",
                "postrider.conf:10: connect_timeout: '2h' is outside 1s to 1h",
            ]
        ),
        (
            smallest + "[route.r]\ntype = \"submission\"\nhost = \"mail.example.com:587\"\nport = 70000\nprocess_limit = \"2\"\n",
            [
                "postrider.conf:5: host: 'mail.example.com:587' is no host; put the port in its own key, port = ...",
                "postrider.conf:6: port: 70000 is outside the bounds; write a number from 1 to 65535",
                "postrider.conf:7: process_limit: expected a number from 1 to 100, not a string",
            ]
        ),
        (
            smallest + "[route.r]\ntype = \"submission\"\nhost = \"h.example.com\"\nauth = { user = \"u\", password = \"hunter2\" }\n",
            [
                "postrider.conf:6: auth: unknown key 'password' in this table; secrets stand in files of their own: use 'password_file'"
            ]
        ),
        (
            smallest
                + "[route.r]\ntype = \"submission\"\nhost = \"h.example.com\"\n[route.r.auth]\nuser = \"u\"\npassword_file = \"/p\"\nmechanism = \"scram\"\n",
            [
                "postrider.conf:9: auth: mechanism: unknown value 'scram'; write \"auto\" or \"plain\" or \"login\" or \"cram-md5\" or \"scram-sha-1\" or \"scram-sha-256\" or \"xoauth2\" or \"oauthbearer\" or \"gssapi\""
            ]
        ),
        (
            smallest
                + "[route.r]\ntype = \"submission\"\nhost = \"h.example.com\"\ntls_security_level = \"may\"\nauth = { user = \"u\", password_file = \"/p\" }\n",
            ["postrider.conf:7: a login is sent only over TLS with a verified certificate; set tls_security_level = \"verify\""]
        ),
        (
            smallest
                + "[compliance]\npostal_address = \"{{street}} 1\"\n[route.r]\ntype = \"sink\"\n[identity.a]\nfrom = \"{{name}} <a@example.com>\"\nsignature = \"\"\"\nBest\n{{sender_name}}\"\"\"\n",
            [
                "postrider.conf:4: postal_address: '{{' is not filled in here and would stop every message; write the words themselves",
                "postrider.conf:8: from: '{{' is not filled in here and would stop every message; write the words themselves",
                "postrider.conf:9: signature: '{{' is not filled in here and would stop every message; write the words themselves",
            ]
        ),
        (
            smallest + "[route.r]\ntype = \"sink\"\nhost = \"h.example.com\"\nport = 2525\n",
            [
                "postrider.conf:5: a route of type sink connects to nothing; remove 'host', or use type \"submission\", \"mx\" or \"lmtp\"",
                "postrider.conf:6: a route of type sink connects to nothing; remove 'port', or use type \"submission\", \"mx\" or \"lmtp\"",
            ]
        ),
        (
            smallest
                + "[route.r]\ntype = \"mx\"\nhost = \"h.example.com\"\ntls = \"none\"\ntls_security_level = \"encrypt\"\nsource = \"s1\"\n[source.s2]\naddress = \"192.0.2.1\"\n",
            [
                "postrider.conf:5: a route of type mx takes no host; remove it; the recipient's domain names the hosts",
                "postrider.conf:6: tls = \"none\" contradicts tls_security_level = \"encrypt\"; remove one of them",
                "postrider.conf:8: there is no [source.s1]; did you mean 's2'?",
            ]
        ),
        (
            smallest
                + "[identity.a]\nfrom = \"Anna <anna at example.com>\"\n[identity.b]\nfrom = \"b@example.com\"\nroute = \"ofice\"\nreply_to = \"token\"\n[route.office]\ntype = \"mx\"\n",
            [
                "postrider.conf:4: from: 'Anna <anna at example.com>' is no address; write it as \"Anna Berg <anna@example.com>\"",
                "postrider.conf:7: there is no [route.ofice]; did you mean 'office'?",
                "postrider.conf:8: signed addresses need a key; add key_files to [tokens]",
                "postrider.conf:8: signed addresses need a domain; set domain in [tokens], or accept_domains in a listener",
            ]
        ),
        (
            smallest + "[listener.smtp]\nlisten = [\"127.0.0.1:25\", \"mail.example.com:25\", \"127.0.0.1\"]\ntls_cert_file = \"/c\"\n",
            [
                "postrider.conf:4: listen: 'mail.example.com' is no IP address; a listener binds to an IP address, not to a name",
                "postrider.conf:4: listen: '127.0.0.1' is no listen address; write it as \"127.0.0.1:8025\", \"[::]:25\" or \"unix:/path\"",
            ]
        ),
        (
            smallest
                + "[listener.smtp]\nlisten = [\"127.0.0.1:2525\"]\ntls_cert_file = \"/c\"\n[listener.lmtp]\nlisten = [\"127.0.0.1:2525\"]\naccept_domains = [\"r.example.com\"]\nsocket_mode = \"0666\"\n",
            [
                "postrider.conf:3: [listener.smtp] takes mail for no domain; add accept_domains = [\"r.example.com\"]",
                "postrider.conf:5: a certificate needs its key; add tls_key_file",
                "postrider.conf:9: socket_mode: a socket that everybody may write to accepts mail from everybody; use \"0660\"",
            ]
        ),
        (
            smallest
                + "[listener.smtp]\nlisten = [\"127.0.0.1:2525\"]\naccept_domains = [\"r.example.com\"]\n[http]\nlisten = \"127.0.0.1:2525\"\n",
            ["postrider.conf:7: 127.0.0.1:2525 is already taken by [listener.smtp]; use another port"]
        ),
        (
            smallest
                + "[dkim.key.\"example.com\"]\nselector = \"a\"\n[dkim.key.\"exa mple\"]\nselector = \"a\"\nkey_file = \"/k\"\ned25519_key_file = \"/e\"\n",
            [
                "postrider.conf:3: [dkim.key.\"example.com\"] names no key; add key_file = \"/path\"",
                "postrider.conf:5: 'exa mple' is no domain; write [dkim.key.\"example.com\"]",
                "postrider.conf:8: two keys cannot be published under one selector; give ed25519_selector a name of its own",
            ]
        ),
        (
            smallest
                + "[mailbox.a]\nhost = \"imap.example.com\"\ntls = \"none\"\nauth = { user = \"u\", password_file = \"/p\" }\n[mailbox.b]\nhost = \"imap.example.com\"\n",
            [
                "postrider.conf:5: a login is sent only over TLS with a verified certificate; use \"implicit\" or \"starttls\"",
                "postrider.conf:7: 'auth' is missing in [mailbox.b]; add auth = a table such as { user = \"anna\", password_file = \"/path\" } or { user = \"anna@example.com\", oauth = \"NAME\" }",
            ]
        ),
        (
            smallest
                + "[route.a]\ntype = \"submission\"\nhost = \"h\"\nauth = { user = \"u\" }\n[route.b]\ntype = \"submission\"\nhost = \"h\"\nauth = { mechanism = \"xoauth2\", user = \"u\", password_file = \"/p\" }\n[route.c]\ntype = \"submission\"\nhost = \"h\"\nauth = { mechanism = \"plain\", user = \"u\", oauth = \"exchnge\" }\n[route.d]\ntype = \"submission\"\nhost = \"h\"\nauth = { oauth = \"g\", password_file = \"/p\" }\n[oauth.exchange]\nprovider = \"microsoft\"\nclient_id = \"c\"\nflow = \"client_credentials\"\n[oauth.g]\nprovider = \"google\"\nclient_id = \"c\"\nflow = \"device_code\"\ntenant = \"t\"\n[oauth.o]\nprovider = \"generic\"\nclient_id = \"c\"\nflow = \"device_code\"\n",
            [
                "postrider.conf:6: 'password_file' is missing here; write a table such as { user = \"anna\", password_file = \"/path\" } or { user = \"anna@example.com\", oauth = \"NAME\" }",
                "postrider.conf:10: the mechanism xoauth2 takes an access token; write oauth = \"NAME\" in place of 'password_file'",
                "postrider.conf:14: the mechanism plain takes no access token; use \"xoauth2\" or \"oauthbearer\", or remove 'mechanism'",
                "postrider.conf:14: there is no [oauth.exchnge]; did you mean 'exchange'?",
                "postrider.conf:18: a login has a password or an access token, not both; remove 'password_file' or 'oauth'",
                "postrider.conf:18: 'user' is missing here; write a table such as { user = \"anna\", password_file = \"/path\" } or { user = \"anna@example.com\", oauth = \"NAME\" }",
                "postrider.conf:22: client_credentials needs the client's secret; add client_secret_file = \"/path\"",
                "postrider.conf:26: google gives no mail scope to a device login; use \"refresh_token\" with a token from its OAuth playground or a web login",
                "postrider.conf:26: a login that is stored needs a key to seal it with; add [secrets] with key_file, made with: openssl rand -hex 32",
                "postrider.conf:27: only microsoft has tenants; remove it",
                "postrider.conf:28: [oauth.o] names no server; add token_url = \"https://...\"",
                "postrider.conf:31: device_code needs the address where a login begins; add device_url = \"https://...\"",
                "postrider.conf:31: a login that is stored needs a key to seal it with; add [secrets] with key_file, made with: openssl rand -hex 32",
            ]
        ),
        (
            smallest
                + "[oauth.a]\nprovider = \"generic\"\nclient_id = \"c\"\nflow = \"client_credentials\"\nclient_secret_file = \"/p\"\ntoken_url = \"http://login.example.com/token\"\n[oauth.b]\nprovider = \"other\"\n",
            [
                "postrider.conf:8: token_url: a client's secret is sent over https only; write https://",
                "postrider.conf:9: 'client_id' is missing in [oauth.b]; add client_id = a client id",
                "postrider.conf:9: 'flow' is missing in [oauth.b]; add flow = \"client_credentials\" or \"refresh_token\" or \"device_code\"",
                "postrider.conf:10: provider: unknown value 'other'; write \"microsoft\" or \"google\" or \"generic\"",
            ]
        ),
        (
            smallest + "[unsubscribe]\nlist_unsubscribe = \"https\"\n",
            [
                "postrider.conf:4: one-click needs a URL; add one_click_url = \"https://...\"",
                "postrider.conf:4: one-click links are signed and need a key; add key_files to [tokens]",
                "postrider.conf:4: one-click needs the web listener; add a section [http]",
            ]
        ),
        (
            smallest
                + "[route.o]\ntype = \"mx\"\n[identity.a]\nfrom = \"a@example.com\"\nlaw = \"us\"\nopt_out = \"No more: {{unsubscribe_url}}\"\n",
            [
                "postrider.conf:7: the law 'us' wants a postal address in each message, and [identity.a] has none; set postal_address there or in [compliance]",
                "postrider.conf:8: {{unsubscribe_url}} has no value without one-click links; set list_unsubscribe = \"both\" and one_click_url in [unsubscribe], or write what to answer instead",
            ]
        ),
        (
            smallest
                + "[route.o]\ntype = \"mx\"\n[identity.a]\nfrom = \"a@example.com\"\n[compliance]\nlaw = \"xx\"\nopt_out = \"{{name}}\"\n",
            [
                "postrider.conf:8: law: unknown value 'xx'; write \"none\" or \"au\" or \"ca\" or \"eu\" or \"uk\" or \"us\"",
                "postrider.conf:9: opt_out: no tag but {{unsubscribe_url}} is filled in here, and another would stop every message; write the words themselves",
            ]
        ),
        (
            smallest + "[tracking]\nclicks = true\n", ["postrider.conf:4: tracking needs a URL; add base_url = \"https://...\""]
        ),
        (
            smallest + "[tracking]\nbase_url = \"http://t.example.com/\"\n",
            ["postrider.conf:4: base_url: the links of messages must be https; write https://"]
        ),
        (
            smallest + "[tracking]\nbase_url = \"https://t.example.com/\"\n",
            [
                "postrider.conf:4: signed addresses need a key; add key_files to [tokens]",
                "postrider.conf:4: signed addresses need a domain; set domain in [tokens], or accept_domains in a listener",
                "postrider.conf:4: tracking needs the web listener; add a section [http]",
            ]
        ),
        (
            smallest + "[unsubscribe]\none_click_url = \"http://u.example.com/\"\n",
            [
                "postrider.conf:4: one_click_url: one-click links must be https (RFC 8058); write https://"
            ]
        ),
        ("config_version = 2\n" + smallest, ["postrider.conf:1: config_version: 2 is outside the bounds; write a number from 1 to 1"]),
        (
            smallest + "[window]\nhours = \"17:30-08:30\"\ndays = [\"mon\", \"tues\"]\n",
            [
                "postrider.conf:4: hours: '17:30-08:30' ends before it starts; a window lies within one day",
                "postrider.conf:5: days: unknown value 'tues'; did you mean 'tue'?",
            ]
        ),
        ("[main]\nmyhostname = \"a\\nb\"\n", ["postrider.conf:2: myhostname: control characters are not allowed here"]),
        (
            smallest + "[queue]\nmax_queue_lifetime = \"2m\"\n",
            [
                "postrider.conf:4: the queue lifetime is shorter than the first wait of retry_schedule; nothing would ever be retried"
            ]
        ),
        (
            smallest + "[identity.a]\nfrom = \"a@example.com\"\n[route.a]\ntype = \"sink\"\n[route.b]\ntype = \"sink\"\n",
            ["postrider.conf:3: no route for [identity.a]; add route = \"...\", or default in [transport]"]
        ),
        (
            smallest + "[identity.a]\nfrom = \"a@example.com\"\nroute = \"office\"\n",
            ["postrider.conf:5: there is no [route.office]; add a section [route.office]"]
        ),
        (
            smallest + "[identity.a]\nfrom = \"a@example.com\"\n[route.office]\n",
            [
                "postrider.conf:5: 'type' is missing in [route.office]; add type = \"submission\" or \"mx\" or \"lmtp\" or \"sink\" or \"maildir\""
            ]
        ),
    ]

    @Test("each fault is told with file, line and remedy, all at once", arguments: table)
    func faultsOf(conf: String, expected: [String]) {
        #expect(faults(conf) == expected)
    }

    @Test("a secret written into the conf never comes back in a message")
    func noSecrets() {
        for key in ["password", "passwd", "secret", "auth"] {
            let text = smallest + "[route.r]\ntype = \"submission\"\nhost = \"h\"\n\(key) = \"hunter2\"\nauth.password = \"hunter2\"\n"
            #expect(!faults(text).joined().contains("hunter2"))
        }
    }

    @Test(
        "what stands in a secret file must be kept from others",
        arguments: [
            (FileFacts(mode: 0o644), "/s/p is open to everybody (mode 0644); run: chmod o-rwx /s/p"),
            (FileFacts(mode: 0o602), "/s/p is open to everybody (mode 0602); run: chmod o-rwx /s/p"),
            (FileFacts(size: 0), "/s/p is empty"),
            (FileFacts(isRegularFile: false), "/s/p is not a file"),
            (FileFacts(isReadable: false), "/s/p is not readable for this user; give its group the right to read it"),
        ])
    func secrets(facts: FileFacts, message: String) {
        let text = smallest + "[route.r]\ntype = \"submission\"\nhost = \"h\"\nauth = { user = \"u\", password_file = \"/s/p\" }\n"
        #expect(faults(text, facts: ["/s/p": facts]) == ["postrider.conf:6: auth: password_file: \(message)"])
        #expect(faults(text, facts: ["/s/p": FileFacts(mode: 0o640)]) == [])
    }

    @Test("a token key must be long enough, each at its own line")
    func tokenKeys() {
        let text = smallest + "[tokens]\nkey_files = [\n\"/k1\",\n\"/k2\"]\n"
        #expect(
            faults(text, facts: ["/k2": FileFacts(size: 31)])
                == ["postrider.conf:6: key_files: /k2 is only 31 bytes long; a key takes at least 32 bytes"])
    }

    @Test("a file that is missing is named with the line that names it")
    func missing() {
        var files = MemoryFiles(texts: [
            "/etc/p/postrider.conf": smallest + "[dkim.key.\"example.com\"]\nselector = \"s\"\nkey_file = \"dkim/k.pem\"\n"
        ])
        files.otherwise = nil
        guard case .failure(let error) = Settings.load("/etc/p/postrider.conf", files: files) else { return #expect(Bool(false)) }
        #expect(error.description == "/etc/p/postrider.conf:5: key_file: /etc/p/dkim/k.pem does not exist")
    }

    @Test("a main file that is missing is a fault like any other")
    func noConf() {
        guard case .failure(let error) = Settings.load("/etc/p/postrider.conf", files: MemoryFiles(texts: [:])) else {
            return #expect(Bool(false))
        }
        #expect(error.description == "/etc/p/postrider.conf:1: cannot be read: there is no such file; name the conf file with --conf")
    }
}

@Suite("several conf files")
struct LayerTests {
    @Test("conf.d is read in the order of names; other names are left alone")
    func order() throws {
        let more = [
            "20-b.conf": "[route.second]\ntype = \"mx\"\n", "10-a.conf": "[route.first]\ntype = \"mx\"\n", ".hidden.conf": "bad",
            "note.txt": "bad",
            "backup.conf~": "bad",
        ]
        let settings = try load(smallest, more: more).get()
        #expect(settings.routes.map(\.name) == ["first", "second"])
        #expect(settings.files == ["postrider.conf", "./conf.d/10-a.conf", "./conf.d/20-b.conf"])
    }

    @Test("a later file may add keys to a section, and each key knows its place")
    func adds() throws {
        let settings = try load(smallest + "[route.r]\ntype = \"mx\"\n", more: ["a.conf": "[route.r]\n\nprocess_limit = 7\n"]).get()
        #expect(settings.route(named: "r")?.processLimit == 7)
        #expect(settings.origin(of: ["route", "r", "type"])?.description == "postrider.conf:4")
        #expect(settings.origin(of: ["route", "r", "process_limit"])?.description == "./conf.d/a.conf:3")
        #expect(settings.origin(of: ["route", "r"])?.description == "postrider.conf:3")
        #expect(settings.origin(of: ["route", "r", "port"]) == nil)
    }

    @Test("a key set twice is a fault at the later place, unless the later table says override")
    func override() throws {
        let first = smallest + "timezone = \"UTC\"\n[dns]\nresolvers = []\n"
        #expect(
            faults(first, more: ["a.conf": "[main]\ntimezone = \"Europe/Paris\"\n"]) == [
                "./conf.d/a.conf:2: 'timezone' in [main] is already set at postrider.conf:3; remove one of them, or write override = true in this table"
            ])
        let settings = try load(first, more: ["a.conf": "[main]\noverride = true\ntimezone = \"Europe/Paris\"\n"]).get()
        #expect(settings.main.timezone.identifier == "Europe/Paris")
        #expect(settings.main.myhostname == "out.example.com")
        #expect(settings.origin(of: ["main", "timezone"])?.description == "./conf.d/a.conf:3")
        let elsewhere = "[dns]\noverride = true\n[main]\ntimezone = \"Europe/Paris\"\n"
        #expect(faults(first, more: ["a.conf": elsewhere]).count == 1, "override holds for its own table only")
        #expect(
            faults(first, more: ["a.conf": "[main]\noverride = \"yes\"\n"]) == [
                "./conf.d/a.conf:2: override: expected true or false, not a string"
            ])
    }

    @Test("faults of several files come together, in the order of files and lines")
    func together() {
        let found = faults("[main]\nmyhostname = 1\nx = 1\n", more: ["b.conf": "[log]\nlevel = \"loud\"\n", "a.conf": "[broken\n"])
        #expect(found.count == 4)
        #expect(found[0].hasPrefix("postrider.conf:2: myhostname: expected a host name, not an integer"))
        #expect(found[1].hasPrefix("postrider.conf:3: unknown key 'x' in [main]"))
        #expect(found[2].hasPrefix("./conf.d/a.conf:1: "))
        #expect(found[3].hasPrefix("./conf.d/b.conf:2: level: unknown value 'loud'"))
    }

    @Test("the real files: links are followed, modes seen, conf.d read")
    func realFiles() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("settings-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder.appendingPathComponent("conf.d"), withIntermediateDirectories: true)
        let secret = folder.appendingPathComponent("real.pass")
        try Data("s3cret\r\n".utf8).write(to: secret)
        try FileManager.default.createSymbolicLink(at: folder.appendingPathComponent("link.pass"), withDestinationURL: secret)
        let route = "[route.r]\ntype = \"submission\"\nhost = \"127.0.0.1\"\nauth = { user = \"u\", password_file = \"link.pass\" }\n"
        try Data(smallest.utf8).write(to: folder.appendingPathComponent("postrider.conf"))
        try Data(route.utf8).write(to: folder.appendingPathComponent("conf.d/r.conf"))
        let main = folder.appendingPathComponent("postrider.conf").path

        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: secret.path)
        guard case .failure(let error) = Settings.load(main) else { return #expect(Bool(false), "world-readable was taken") }
        #expect(error.faults.map(\.line) == [4])
        #expect(error.description.contains("conf.d/r.conf:4: auth: password_file: "))
        #expect(error.description.contains("(mode 0644)"))

        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: secret.path)
        let settings = try Settings.load(main).get()
        #expect(try settings.route(named: "r")?.auth?.passwordFile?.read().get() == Array("s3cret".utf8))
    }
}
