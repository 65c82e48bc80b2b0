"""testing.observed_pods: what a real kubelet 1.20 on Docker did with 148 pods, replayed on a lab and compared."""
