module tranship.io/tools/api-lifecycle

go 1.26.0

require k8s.io/api v0.37.2
