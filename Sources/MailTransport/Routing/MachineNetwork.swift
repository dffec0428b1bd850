import DNS
import NIOCore

/// The kinds of address that this machine can send from.
struct MachineNetwork: Sendable {
    let hasVersion4: Bool
    let hasVersion6: Bool

    init(hasVersion4: Bool, hasVersion6: Bool) {
        self.hasVersion4 = hasVersion4
        self.hasVersion6 = hasVersion6
    }

    /// As the interfaces are now, or as the one address allows that the route sends from.
    static func current(sendingFrom source: String?) -> MachineNetwork {
        if let source, let address = IPAddress(source) {
            return MachineNetwork(hasVersion4: !address.isVersion6, hasVersion6: address.isVersion6)
        }
        let devices = (try? System.enumerateDevices()) ?? []
        let hasVersion6 = devices.contains { device in
            guard case .v6? = device.address, let text = device.address?.ipAddress, let address = IPAddress(text) else { return false }
            return address.isPublic
        }
        return MachineNetwork(hasVersion4: true, hasVersion6: hasVersion6)
    }

    /// Loopback and private IPv6 addresses come from conf and tests only, so nobody doubts that there is a way to them.
    func reaches(_ address: IPAddress) -> Bool {
        address.isVersion6 ? hasVersion6 || !address.isPublic : hasVersion4
    }
}
