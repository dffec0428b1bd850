import Synchronization
import Testing

@testable import Mailroom

@Suite("pressure on the disk")
struct StoragePressureTests {
    /// A disk and a clock in the test's hand.
    private final class World: Sendable {
        let state = Mutex((free: UInt64?.some(100), now: ContinuousClock.now, looks: 0))

        func pressure(minimumFree: UInt64) -> StoragePressure {
            StoragePressure(
                minimumFree: minimumFree,
                free: {
                    self.state.withLock { state in
                        state.looks += 1
                        return state.free
                    }
                }, now: { self.state.withLock { $0.now } })
        }

        func pass(_ time: Duration) { state.withLock { $0.now += time } }
    }

    @Test(
        "too little room is high, until there is room again; a disk that cannot be looked at is not",
        arguments: [(99, true), (100, false), (nil, false)] as [(UInt64?, Bool)])
    func room(_ free: UInt64?, _ isHigh: Bool) {
        let world = World()
        world.state.withLock { $0.free = free }
        let pressure = world.pressure(minimumFree: 100)
        #expect(pressure.isHigh == isHigh)
        world.state.withLock { $0.free = 1000 }
        world.pass(.seconds(1))
        #expect(!pressure.isHigh)
    }

    @Test("the disk is looked at now and then, however often one asks")
    func seldom() {
        let world = World()
        let pressure = world.pressure(minimumFree: 1)
        for _ in 0..<1000 { _ = pressure.isHigh }
        #expect(world.state.withLock { $0.looks } == 1)
        world.pass(.milliseconds(501))
        _ = pressure.isHigh
        #expect(world.state.withLock { $0.looks } == 2)
    }

    @Test("a commit that hangs is high while it hangs and a little longer, one that is quick never", arguments: [(3, true), (1, false)])
    func slow(_ seconds: Int, _ isHigh: Bool) async {
        let world = World()
        let pressure = world.pressure(minimumFree: 1)
        await pressure.watch {
            world.pass(.seconds(seconds))
            #expect(pressure.isHigh == isHigh)
        }
        #expect(pressure.isHigh == isHigh)
        world.pass(.seconds(6))
        #expect(!pressure.isHigh)
    }

    @Test("a commit that found the disk full is remembered for seconds, and a bound that was read again holds")
    func full() {
        let world = World()
        let pressure = world.pressure(minimumFree: 1)
        pressure.noteFull()
        #expect(pressure.isHigh)
        world.pass(.seconds(6))
        #expect(!pressure.isHigh)
        pressure.require(minimumFree: 101)
        world.pass(.seconds(1))
        #expect(pressure.isHigh)
    }
}
