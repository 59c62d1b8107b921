"""Operations over arrays, short functions with their gradients. Nothing here knows Tensor."""
