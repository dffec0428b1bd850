import OpenSSL

/// Everything that makes a connection what it is: an attempt may use one only if all of this is what it asks for itself.
///
/// The credentials belong to the route, and the routes of one courier never change.
struct ConnectionKey: Sendable, Hashable {
    let route: String
    let place: Destination.Place
    /// The name that was given as SNI and to Kerberos.
    let name: String
    let sourceAddress: String?
    let helloName: String
    let tls: Route.TLSMode
    let level: Route.TLSLevel
    /// What was asked of the certificate.
    let peer: TLSPeer
    /// Whose certificates were trusted.
    let trust: ObjectIdentifier

    init(to host: Destination, over route: Route, peer: TLSPeer) {
        self.route = route.name
        place = host.place
        name = host.name
        sourceAddress = route.sourceAddress
        helloName = route.helloName
        tls = route.tls
        level = route.level
        self.peer = peer
        trust = ObjectIdentifier(route.trust)
    }

    /// What the limit for each host counts.
    struct Host: Hashable {
        let route: String
        let place: Destination.Place
    }

    var host: Host { Host(route: route, place: place) }
}
