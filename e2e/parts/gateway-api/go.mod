module serin.dev/bed/gateway-api

go 1.26.0

// Only its CRDs are used. 1.7 asks for a newer Go.
require sigs.k8s.io/gateway-api v1.6.3
