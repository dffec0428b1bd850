// swift-tools-version: 6.2
import PackageDescription

// The floors of the house: a target may depend only on targets of a lower floor
// (ArchitectureTests holds this, and that each outside library has one owner).

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let tomlKit = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func proof(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name), "TestKit"] + dependencies,
        exclude: [], resources: [.copy("Fixtures")], swiftSettings: settings)
}

let package = Package(
    name: "postrider",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "postrider", targets: ["postrider"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache.git", from: "2.1.1"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/LebJe/TOMLKit.git", from: "0.6.0"),
    ],
    targets: [
        // F0: C libraries of the distribution, and the files the binary carries.
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSASL", pkgConfig: "libsasl2", providers: [.apt(["libsasl2-dev"])]),
        .systemLibrary(name: "CIDN2", pkgConfig: "libidn2", providers: [.apt(["libidn2-dev"])]),
        .systemLibrary(name: "CUnbound", providers: [.apt(["libunbound-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CEmbedded", cSettings: [.headerSearchPath("include")]),

        // F1: grammars, machines and wrappers.
        room("Embedded", ["CEmbedded"]),
        room("InternetMessage", ["CIDN2", "CZlib"]),
        room("SMTP", [nioCore]),
        room("IMAP", [nioCore]),
        room("DNS", ["CUnbound"]),
        room("Toml", [tomlKit]),
        room("HTTPFetch", [asyncHTTPClient, nioCore, nioHTTP1, nioPosix, nioSSL]),
        room("SASL", ["CSASL"]),
        room("OpenSSL", ["COpenSSL", nioCore]),

        // F2: what mail means, and what to do about it.
        room("Outreach", ["InternetMessage", "OpenSSL", "Toml", mustache]),
        room(
            "MailTransport",
            ["InternetMessage", "SMTP", "IMAP", "DNS", "HTTPFetch", "SASL", "OpenSSL", nioCore, nioPosix, logging]),
        room("MailAuthentication", ["InternetMessage", "OpenSSL", "DNS"]),
        room("MailClassifier", ["InternetMessage", "Toml", "Embedded"]),
        room("Settings", ["InternetMessage", "Toml"]),

        // F3: the services.
        room(
            "Mailroom",
            [
                "Outreach", "MailTransport", "MailAuthentication", "MailClassifier", "InternetMessage", "SMTP", "IMAP", "OpenSSL", "DNS",
                logging,
                lifecycle,
            ]),
        room(
            "Rehearsal",
            [
                "Mailroom", "Outreach", "MailTransport", "MailAuthentication", "InternetMessage", "SMTP", "OpenSSL", "DNS", "Embedded",
                nioCore,
                nioPosix, logging,
            ]),

        // F4: the store and the web.
        room("SQLiteStore", ["Outreach", "InternetMessage", grdb, sqlite]),
        room("WebInterface", ["Outreach", hummingbird, httpTypes, logging, lifecycle]),

        // F5: the only target that sees everything.
        .executableTarget(
            name: "postrider",
            dependencies: [
                "InternetMessage", "SMTP", "IMAP", "DNS", "Toml", "HTTPFetch", "SASL", "OpenSSL", "Embedded",
                "Outreach", "MailTransport", "MailAuthentication", "MailClassifier", "Settings",
                "Mailroom", "Rehearsal", "SQLiteStore", "WebInterface",
                argumentParser, logging, lifecycle, unixSignals, nioCore, nioPosix,
            ],
            swiftSettings: settings),

        // Measured by scripts/bench; no product ships it.
        .executableTarget(
            name: "MessageBench", dependencies: ["InternetMessage", "MailAuthentication", "OpenSSL"], path: "Tests/Bench/MessageBench",
            swiftSettings: settings),

        // Learns the tone model that CEmbedded carries; run by scripts/generate/tone-model, and no product ships it.
        .executableTarget(name: "ToneTrainer", dependencies: ["MailClassifier"], path: "Tests/Bench/ToneTrainer", swiftSettings: settings),

        .target(
            name: "TestKit", dependencies: ["Outreach", "InternetMessage", "OpenSSL", nioCore, nioPosix], path: "Tests/TestKit",
            swiftSettings: settings),
        proof(of: "InternetMessage"),
        proof(of: "SMTP", [nioCore]),
        proof(of: "IMAP", [nioCore]),
        proof(of: "DNS"),
        proof(of: "Toml"),
        proof(of: "HTTPFetch", [nioCore, nioPosix]),
        proof(of: "SASL"),
        proof(of: "OpenSSL", [nioCore, nioPosix, nioEmbedded]),
        proof(of: "Outreach", ["Embedded", "InternetMessage"]),
        proof(of: "MailTransport", ["InternetMessage", "SMTP", "IMAP", "OpenSSL", "SASL", "DNS", "HTTPFetch", nioCore, nioPosix, logging]),
        proof(of: "MailAuthentication", ["InternetMessage", "OpenSSL", "DNS"]),
        proof(of: "MailClassifier", ["InternetMessage"]),
        proof(of: "Settings", ["InternetMessage", "Toml"]),
        proof(of: "SQLiteStore", ["Outreach", "InternetMessage"]),
        proof(
            of: "Mailroom",
            [
                "Outreach", "InternetMessage", "MailTransport", "MailAuthentication", "MailClassifier", "SQLiteStore", "SMTP", "DNS",
                "OpenSSL", "HTTPFetch", "SASL", nioPosix, logging, lifecycle,
            ]),
        proof(of: "WebInterface", [hummingbird, hummingbirdTesting, httpTypes, logging]),
        .testTarget(
            name: "InteropTests",
            dependencies: [
                "TestKit", "InternetMessage", "SMTP", "IMAP", "SASL", "OpenSSL", "DNS", "MailTransport", "MailAuthentication", logging,
                nioCore, nioPosix,
            ], resources: [.copy("Fixtures")], swiftSettings: settings),
        .testTarget(
            name: "EndToEndTests", dependencies: ["TestKit", "Rehearsal", "Outreach", "InternetMessage", "Mailroom"],
            resources: [.copy("Fixtures")], swiftSettings: settings),
        .testTarget(name: "ArchitectureTests", dependencies: ["TestKit"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu2x
)
